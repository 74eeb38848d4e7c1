/** Calls that must fail, by public function: with an error that names the function. `bad-input.test.ts` makes them. */
export type BadInputs = Readonly<Record<string, readonly (() => unknown)[]>>;

/** Calls of a function with arguments that its types refuse, too. */
export const refused = (f: unknown, ...calls: readonly (readonly unknown[])[]): readonly (() => unknown)[] =>
  calls.map(args => () => (f as (...args: readonly unknown[]) => unknown)(...args));
