/** Where in the user's code something happened, told from the stacks of errors. */

interface Location {
  readonly file: string;
  readonly line: string;
  readonly column: string;
}

/** The places in a stack, innermost first, as V8 (`at f (file:1:2)`) and the others (`f@file:1:2`) write them. */
const locationsIn = (stack: string): readonly Location[] =>
  stack.split('\n').flatMap(text => {
    const isV8 = /^\s*at /.test(text);
    const place = isV8 ? text.replace(/^\s*at (?:async )?/, '') : text.replace(/^[^@]*@/, '');
    const parts = /(?:^|[(,] ?)([^(),]+):(\d+):(\d+)\)?$/.exec(place);
    return parts === null ? [] : [{ file: parts[1]!, line: parts[2]!, column: parts[3]! }];
  });

const ownPlace = /tensor[\\/]transform[\\/]source-line\.[jt]s(?:\?.*)?$/;

let ownFolder: string | null = null;

/** What the files of the library begin with; in a bundle, the bundle itself. */
const libraryFolder = (): string => {
  // Asked of a stack, so that it is written as the other places are, whatever loaded the modules.
  ownFolder ??= (locationsIn(new Error().stack ?? '')[0]?.file ?? '').replace(ownPlace, '');
  return ownFolder;
};

/** The first place outside of the library, as `file:line:column`; null where the stack has none. */
export const sourceLine = ({ stack = '' }: Error): string | null => {
  const library = libraryFolder();
  const place = locationsIn(stack).find(
    ({ file }) => !file.startsWith(library) && !/^node:|[\\/]fp-ts[\\/]/.test(file),
  );
  return place === undefined ? null : `${place.file.replace(/^file:\/\//, '')}:${place.line}:${place.column}`;
};

/** Runs `f` with stacks that reach far enough down to get out of the library. Only V8 cuts them off. */
export const withLongStacks = <T>(f: () => T): T => {
  const errors = Error as { stackTraceLimit?: number };
  const before = errors.stackTraceLimit;
  if (before === undefined) return f();
  errors.stackTraceLimit = Math.max(before, 100);
  try {
    return f();
  } finally {
    errors.stackTraceLimit = before;
  }
};
