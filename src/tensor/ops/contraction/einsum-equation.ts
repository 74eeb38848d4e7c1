/** The notation of einsum: a term of letters for each operand, and one for the result. */
import { ArgumentError, ShapeError } from '../../errors.js';
import { type Aval, range, type Shape, showAval } from '../../shape.js';
import { kindOf } from '../common/checks.js';

/** The letters of a term before and after its ellipsis; `after` is null where there is none. */
interface Term {
  readonly text: string;
  readonly before: string;
  readonly after: string | null;
}

export interface Equation {
  readonly text: string;
  readonly terms: readonly Term[];
  /** Null where it is left to follow from the terms. */
  readonly output: Term | null;
}

/** An equation applied to shapes: what every axis is called, and how long it is wherever it is not to be broadcast. */
export interface Labelling {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
  readonly lengths: ReadonlyMap<string, number>;
}

const refuse = (given: string, rule: string, hint: string): never => {
  throw new ArgumentError({ operation: 'einsum', given, rule, hint });
};

const termOf = (text: string, equation: string): Term => {
  const [, before, ellipsis, after] = /^([a-zA-Z]*)(?:(\.\.\.)([a-zA-Z]*))?$/.exec(text) ?? [];
  if (before !== undefined) return { text, before, after: ellipsis === undefined ? null : after! };
  return refuse(
    `the term '${text}' in '${equation}'`,
    'a term is a letter from a to z or A to Z for each axis, and at most one ellipsis for any further axes',
    "Write terms as in 'ij,jk->ik' or '...ij,...jk->...ik'.",
  );
};

const lettersOf = ({ before, after }: Term): string[] => [...before, ...(after ?? '')];

/**
 * Reads an equation. Blanks mean nothing.
 *
 * @throws ArgumentError
 */
export const parseEquation = (equation: unknown): Equation => {
  if (typeof equation !== 'string') {
    return refuse(
      `${kindOf(equation)} as the equation`,
      'the equation is a string and comes first',
      "Write einsum('ij,jk->ik', a, b).",
    );
  }
  const [left = '', right, ...more] = equation.replaceAll(/\s/g, '').split('->');
  if (more.length > 0) refuse(`'${equation}'`, 'an equation has one arrow', "Write it as in 'ij,jk->ik'.");
  const terms = left.split(',').map(text => termOf(text, equation));
  if (right === undefined) return { text: equation, terms, output: null };
  const output = termOf(right, equation);
  const known = new Set(terms.flatMap(lettersOf));
  lettersOf(output).forEach((letter, i, all) => {
    if (!known.has(letter)) {
      refuse(
        `'${equation}'`,
        `the letter ${letter} of the result is in no operand`,
        'Name it in an operand, or use expandDims and broadcastTo for a new axis.',
      );
    }
    if (all.indexOf(letter) !== i) {
      refuse(
        `'${equation}'`,
        `the letter ${letter} stands twice in the result`,
        'A letter may repeat in operands only; multiply by an identity matrix to spread a diagonal.',
      );
    }
  });
  return { text: equation, terms, output };
};

/** Axes that an ellipsis stands for, counted from the right, where they are aligned. */
const ellipsisLabels = (rank: number): string[] => range(rank).map(i => `.${rank - i}`);

const labelsOf = ({ before, after }: Term, ellipsis: number): string[] => [
  ...before,
  ...(after === null ? [] : [...ellipsisLabels(ellipsis), ...after]),
];

const showLabel = (label: string): string =>
  label.startsWith('.') ? `axis −${label.slice(1)} of the ellipsis` : `the letter ${label}`;

/**
 * Refuses another number of operands than the equation has terms.
 *
 * @throws ArgumentError
 */
export const checkCount = ({ text, terms }: Equation, count: number): void => {
  if (terms.length === count) return;
  refuse(
    `'${text}' and ${count} operand${count === 1 ? '' : 's'}`,
    `the equation has ${terms.length} term${terms.length === 1 ? '' : 's'}`,
    'Give an operand for each term; a comma stands between terms.',
  );
};

/**
 * What every axis of the operands and the result is called.
 *
 * @throws ShapeError
 */
export const labelling = ({ text, terms, output }: Equation, operands: readonly Aval[]): Labelling => {
  const ellipses = terms.map((term, i): number => {
    const [rank, named] = [operands[i]!.shape.length, lettersOf(term).length];
    if (term.after === null ? rank === named : rank >= named) return rank - named;
    throw new ShapeError({
      operation: 'einsum',
      given: `'${term.text}' in '${text}' for ${showAval(operands[i]!)}`,
      rule: `the term names ${named} ax${named === 1 ? 'is' : 'es'}, the operand has ${rank}`,
      hint: rank < named ? 'Leave letters out, or reshape.' : 'Name all axes, or let an ellipsis stand for some.',
    });
  });
  const names = terms.map((term, i) => labelsOf(term, ellipses[i]!));
  return { operands: names, output: outputOf(output, names, ellipses), lengths: lengthsOf(text, names, operands) };
};

/** Without a result in the equation: the ellipsis, then the letters that stand once, in the order of their codes. */
const outputOf = (
  output: Term | null,
  names: readonly (readonly string[])[],
  ellipses: readonly number[],
): readonly string[] => {
  const rank = Math.max(...ellipses);
  if (output !== null) return labelsOf(output, rank);
  const letters = names.flat().filter(label => !label.startsWith('.'));
  const once = letters.filter(letter => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...ellipsisLabels(rank), ...once.sort()];
};

const lengthsOf = (
  text: string,
  names: readonly (readonly string[])[],
  operands: readonly Aval[],
): ReadonlyMap<string, number> => {
  const lengths = new Map<string, number>();
  const where = new Map<string, Aval>();
  names.forEach((labels, i) => {
    const { shape }: { readonly shape: Shape } = operands[i]!;
    labels.forEach((label, axis) => {
      const [length, first] = [shape[axis]!, labels.indexOf(label)];
      const known = first < axis ? shape[first] : lengths.get(label);
      // Lengths of 1 broadcast from operand to operand, but a diagonal takes a square.
      if (known !== undefined && known !== length && (first < axis || (known !== 1 && length !== 1))) {
        throw new ShapeError({
          operation: 'einsum',
          given: first < axis ? showAval(operands[i]!) : `${showAval(where.get(label)!)} and ${showAval(operands[i]!)}`,
          rule: `${showLabel(label)} in '${text}' has the lengths ${known} and ${length}`,
          hint:
            first < axis
              ? 'A letter that repeats in a term is a diagonal, along axes of one length.'
              : 'Axes with one letter are equally long, or 1; check whether two letters are swapped.',
        });
      }
      if (lengths.get(label) !== undefined && length === 1) return;
      lengths.set(label, length);
      where.set(label, operands[i]!);
    });
  });
  return lengths;
};
