/**
 * Every error the library throws, as tagged classes.
 *
 * A message has four parts, so that a reader knows what to change without opening our source:
 * the operation, what it was given, the rule that was broken, and what to do about it.
 */

/** The parts of an error message. */
export interface ErrorParts {
  /** The public function that refused, as the user wrote it: `matmul`. */
  readonly operation: string;
  /** Shapes, dtypes or values as they came in: `float32[2,3] and float32[4,5]`. */
  readonly given: string;
  /** The rule that was broken. */
  readonly rule: string;
  /** What to do. */
  readonly hint: string;
}

/** Base of all errors of the library; tell them apart by `_tag` or by `instanceof`. */
export abstract class TenfoldError extends Error implements ErrorParts {
  abstract readonly _tag: string;
  readonly operation: string;
  readonly given: string;
  readonly rule: string;
  readonly hint: string;

  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super(`${parts.operation}: got ${parts.given}; ${parts.rule}. ${parts.hint}`, options);
    this.operation = parts.operation;
    this.given = parts.given;
    this.rule = parts.rule;
    this.hint = parts.hint;
    this.name = new.target.name;
  }
}

/** Shapes that do not fit together or do not fit the operation. */
export class ShapeError extends TenfoldError {
  readonly _tag = 'ShapeError';
}

/** A dtype that the operation does not take, or a promotion that would lose information. */
export class DTypeError extends TenfoldError {
  readonly _tag = 'DTypeError';
}

/** An axis outside the tensor, or named twice. */
export class AxisError extends TenfoldError {
  readonly _tag = 'AxisError';
}

/** An index, bound or count outside its range. */
export class IndexError extends TenfoldError {
  readonly _tag = 'IndexError';
}

/** An argument of the wrong kind or value that is no shape, dtype, axis or index. */
export class ArgumentError extends TenfoldError {
  readonly _tag = 'ArgumentError';
}

/** A derivative that does not exist or was asked of the wrong thing. */
export class GradError extends TenfoldError {
  readonly _tag = 'GradError';
}

/** A value that was read where there is none: inside a traced function, or of a leaked placeholder. */
export class TraceError extends TenfoldError {
  readonly _tag = 'TraceError';
}

/** A rule (batching, derivative) that a primitive declares not to have. */
export class MissingRuleError extends TenfoldError {
  readonly _tag = 'MissingRuleError';
}

/** Trees of different structure, or a leaf that is no tensor. */
export class TreeError extends TenfoldError {
  readonly _tag = 'TreeError';
}

/** A noise schedule that cannot be. */
export class ScheduleError extends TenfoldError {
  readonly _tag = 'ScheduleError';
}

/** A file or a buffer that is not what it should be; comes back in an `Either`, never thrown by `tenfold/io`. */
export class FormatError extends TenfoldError {
  readonly _tag = 'FormatError';
}

/** A computation that needs more memory than there is. */
export class MemoryError extends TenfoldError {
  readonly _tag = 'MemoryError';
}

/** A NaN or an infinity that `checkFinite` has found. */
export class FiniteError extends TenfoldError {
  readonly _tag = 'FiniteError';
}

/** A device or backend that cannot do what was asked. */
export class DeviceError extends TenfoldError {
  readonly _tag = 'DeviceError';
}
