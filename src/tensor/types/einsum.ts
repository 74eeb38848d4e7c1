/**
 * What an equation of einsum comes to, read letter by letter. The lengths known so far are a string of entries such as
 * `i=3@first;` (the letter, its length, the operand that has it), the latest first; the length is `?` where it is not
 * known. Strings are cheaper to the compiler than objects or tuples that grow.
 */
import type { Shape } from '../shape.js';
import type { Broadcast, Mismatch } from '../shape-types.js';
import type { IsTuple, IsUnion } from './known.js';

type Letter =
  | ('a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o' | 'p' | 'q' | 'r' | 's')
  | ('t' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z' | 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L')
  | ('M' | 'N' | 'O' | 'P' | 'Q' | 'R' | 'S' | 'T' | 'U' | 'V' | 'W' | 'X' | 'Y' | 'Z');

/** In which letters of a result that is not named follow each other. */
type Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

type Ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'];

type Without<T extends string, Blank extends string> = T extends `${infer A}${Blank}${infer B}`
  ? Without<`${A}${B}`, Blank>
  : T;

type Bare<T extends string> = Without<Without<Without<T, ' '>, '\n'>, '\t'>;

/** A length as it stands in an entry. */
type Text<N extends number> = [number] extends [N] ? '?' : IsUnion<N> extends true ? '?' : `${N}`;

/** The length in an entry. */
type Value<T extends string> = T extends `${infer N extends number}` ? N : number;

/** How many letters there are up to the end of the term. */
type Count<T extends string, Out extends unknown[] = []> = T extends `${infer H}${infer R}`
  ? H extends ','
    ? Out['length']
    : Count<R, H extends Letter ? [...Out, H] : Out>
  : Out['length'];

/** How many letters a term named so far, of its entries. */
type Entries<Own extends string, Out extends unknown[] = []> = Own extends `${infer E};${infer R}`
  ? Entries<R, E extends '' ? Out : [...Out, E]>
  : Out;

type Axes<N extends number> = N extends 1 ? '1 axis' : `${N} axes`;

/** A term that does not fit its operand, of which `Own` were read and `T` was not. */
type Unfit<T extends string, Own extends string, Ops, Which extends string> = Ops extends readonly [
  infer S extends Shape,
  ...unknown[],
]
  ? Mismatch<`einsum: the ${Which} term names ${Axes<Count<T, Entries<Own>>>}, the ${Which} operand has ${S['length']}`>
  : never;

/** The axes that an ellipsis stands for, and those for the letters behind it. */
type Behind<S extends Shape, After extends string, Back extends Shape = []> = After extends `${string}${infer R}`
  ? S extends readonly [...infer Front extends Shape, infer N extends number]
    ? Behind<Front, R, [N, ...Back]>
    : number extends S['length']
      ? Behind<S, R, [number, ...Back]>
      : 'short'
  : [S, Back];

type Term<T extends string> = T extends `${infer Head},${string}` ? Head : T;

/** The letter has a length; what is known of it already decides. */
type Bound<
  H extends string,
  X extends string,
  Which extends string,
  Env extends string,
  Own extends string,
> = Own extends `${string};${H}=${infer Y};${string}`
  ? X extends Y
    ? Env
    : '?' extends X | Y
      ? Env
      : Mismatch<`einsum: ${H} is ${Y} and ${X} in the ${Which} operand`>
  : Env extends `${string};${H}=${infer Y}@${infer Where};${string}`
    ? X extends Y | '1'
      ? Env
      : Y extends '1' | '?'
        ? `;${H}=${X}@${Which}${Env}`
        : X extends '?'
          ? Env
          : Mismatch<`einsum: ${H} is ${Y} in the ${Where} operand and ${X} in the ${Which}`>
    : `;${H}=${X}@${Which}${Env}`;

/**
 * The terms against the operands, of which the first in `Ops` is being read and has the axes `S` left: entries, and the
 * axes of ellipses.
 */
type Read<
  T extends string,
  S extends Shape,
  Ops extends readonly unknown[],
  Names extends readonly string[],
  Env extends string = ';',
  Own extends string = ';',
  Dots extends Shape = readonly [],
> = T extends `${infer H}${infer R}`
  ? H extends Letter
    ? S extends readonly [infer N extends number, ...infer Q extends Shape]
      ? Step<H, Text<N>, R, Q, Ops, Names, Env, Own, Dots>
      : number extends S['length']
        ? Step<H, '?', R, S, Ops, Names, Env, Own, Dots>
        : Unfit<T, Own, Ops, Named<Names>>
    : H extends ','
      ? S extends readonly [number, ...Shape]
        ? Unfit<'', Own, Ops, Named<Names>>
        : Ops extends readonly [unknown, infer Next extends Shape, ...infer Rest]
          ? Read<R, Open<Next>, [Next, ...Rest], Later<Names>, Env, ';', Dots>
          : 'count'
      : T extends `...${infer After}`
        ? Term<After> extends `${string}.${string}`
          ? Mismatch<'einsum: a term has at most one ellipsis'>
          : Behind<S, Term<After>> extends [infer Middle extends Shape, infer Back extends Shape]
            ? Broadcast<'einsum', Dots, Middle> extends infer All
              ? All extends Shape
                ? Read<After, Back, Ops, Names, Env, Own, All>
                : All
              : never
            : Unfit<After, Own, Ops, Named<Names>>
        : Stray<H>
  : S extends readonly [number, ...Shape]
    ? Unfit<'', Own, Ops, Named<Names>>
    : Ops extends readonly [unknown, unknown, ...unknown[]]
      ? 'count'
      : [Env, Dots];

type Step<
  H extends string,
  X extends string,
  R extends string,
  Q extends Shape,
  Ops extends readonly unknown[],
  Names extends readonly string[],
  Env extends string,
  Own extends string,
  Dots extends Shape,
> =
  Bound<H, X, Named<Names>, Env, Own> extends infer Next
    ? Next extends string
      ? Read<R, Q, Ops, Names, Next, `${Own}${H}=${X};`, Dots>
      : Next
    : never;

type Named<Names extends readonly string[]> = Names extends readonly [infer N extends string, ...unknown[]]
  ? N
  : 'last';

type Later<Names extends readonly string[]> = Names extends readonly [string, ...infer R extends string[]] ? R : [];

/** A shape of which the rank is known, or any shape. */
type Open<S extends Shape> = IsTuple<S> extends true ? S : Shape;

/** What is neither a letter nor an ellipsis; a blank that nobody writes is let pass. */
type Stray<H extends string> = H extends '\r' | '\v' | '\f' | '\u00a0' | '\u2003' | '\u2009' | '\u202f' | '\ufeff'
  ? Shape
  : Mismatch<`einsum: '${H}' in a term is neither a letter nor part of an ellipsis`>;

/** The axes that the result names. */
type Result<
  T extends string,
  Env extends string,
  Dots extends Shape,
  Out extends Shape = readonly [],
> = T extends `${infer H}${infer R}`
  ? H extends Letter
    ? R extends `${string}${H}${string}`
      ? Mismatch<`einsum: the letter ${H} stands twice in the result`>
      : Env extends `${string};${H}=${infer X}@${string}`
        ? Result<R, Env, Dots, readonly [...Out, Value<X>]>
        : Mismatch<`einsum: the letter ${H} of the result is in no operand`>
    : T extends `...${infer After}`
      ? After extends `${string}...${string}`
        ? Mismatch<'einsum: a term has at most one ellipsis'>
        : Result<After, Env, Dots, readonly [...Out, ...Dots]>
      : Stray<H>
  : number extends Out['length']
    ? Shape
    : Out;

/** A letter put into its place among others. */
type Insert<H extends string, Sorted extends string, Before extends string = ''> = Sorted extends `${infer F}${infer R}`
  ? Alphabet extends `${string}${H}${string}${F}${string}`
    ? `${Before}${H}${Sorted}`
    : Insert<H, R, `${Before}${F}`>
  : `${Before}${H}`;

/** The letters that stand once, in the order of the alphabet. */
type Once<T extends string, All extends string = T, Out extends string = ''> = T extends `${infer H}${infer R}`
  ? H extends Letter
    ? All extends `${string}${H}${string}${H}${string}`
      ? Once<R, All, Out>
      : Once<R, All, Insert<H, Out>>
    : Once<R, All, Out>
  : Out;

type Commas<T extends string, Out extends unknown[] = [unknown]> = T extends `${string},${infer R}`
  ? Commas<R, [...Out, unknown]>
  : Out['length'];

type Evaluated<Left extends string, Right extends string, Ops extends readonly Shape[]> = (
  Ops extends readonly [infer S extends Shape, ...unknown[]]
    ? Read<Left, Open<S>, Ops, Ordinals>
    : 'count'
) extends infer Found
  ? Found extends [infer Env extends string, infer Dots extends Shape]
    ? Result<Right, Env, Dots>
    : Found extends 'count'
      ? Mismatch<`einsum: the equation has ${Commas<Left>} ${Left extends `${string},${string}` ? 'terms' : 'term'}, and there ${Ops['length'] extends 1 ? 'is 1 operand' : `are ${Ops['length']} operands`}`>
      : Found
  : never;

type Parsed<E extends string, Ops extends readonly Shape[]> = E extends `${infer Left}->${infer Right}`
  ? Right extends `${string}->${string}`
    ? Mismatch<'einsum: an equation has one arrow'>
    : Evaluated<Left, Right, Ops>
  : Evaluated<E, `...${Once<E>}`, Ops>;

/** einsum: the shape from the equation and the shapes of the operands. */
export type EinsumShape<Equation extends string, Ops extends readonly Shape[]> = string extends Equation
  ? Shape
  : // Neither a pattern such as `${string}->i`, nor a list of any length.
    Record<never, never> extends Record<Equation, 1>
    ? Shape
    : number extends Ops['length']
      ? Shape
      : Parsed<Bare<Equation>, Ops>;
