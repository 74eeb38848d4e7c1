/** Calls that must fail, by public function: with an error that names the function. `bad-input.test.ts` makes them. */
export type BadInputs = Readonly<Record<string, readonly (() => unknown)[]>>;
