/** What is wrong with the contents of a file, before it is known which function was asked for it. */
import * as E from 'fp-ts/lib/Either.js';
import { type ErrorParts, FormatError, MemoryError } from '../tensor/errors.js';

/** An error without the operation. */
export type Fault = Omit<ErrorParts, 'operation'>;

export type Checked<A> = E.Either<Fault, A>;

export const refuse = (given: string, rule: string, hint: string): Checked<never> => E.left({ given, rule, hint });

/** The error of an operation, with the place that it was reading where there is one. */
export const faultOf =
  (operation: string, place?: string) =>
  ({ given, rule, hint }: Fault): FormatError =>
    new FormatError({ operation, given: place === undefined ? given : `${given} in ${place}`, rule, hint });

/** What a check has to say as an exception, for code that runs inside of a task. */
export class Refused extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.given);
    this.fault = fault;
  }
}

const messageOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** What there is no memory for, or no array as large; null for any other error. */
export const memoryFault = (reason: unknown): Fault | null =>
  reason instanceof RangeError || reason instanceof MemoryError
    ? {
        given: `contents that do not fit into memory (${messageOf(reason)})`,
        rule: 'what is read is an array, which must fit into the memory there is',
        hint: 'Work on smaller files, and keep no arrays that are not needed any more.',
      }
    : null;

/** What a task rejected with, as a Fault: a refusal as it stands, anything else as damage. */
export const faultFrom = (reason: unknown, rule: string, hint: string): Fault =>
  reason instanceof Refused
    ? reason.fault
    : (memoryFault(reason) ?? { given: `contents that cannot be read (${messageOf(reason)})`, rule, hint });

/** A name from a file, in a message. */
export const quote = (name: string): string => `'${name.length > 80 ? `${name.slice(0, 80)}…` : name}'`;

export const damaged = 'The file is cut off or damaged: fetch or write it again.';

/** Not instanceof: bytes may come from another realm. */
export const isBytes = (value: unknown): value is Uint8Array =>
  Object.prototype.toString.call(value) === '[object Uint8Array]';
