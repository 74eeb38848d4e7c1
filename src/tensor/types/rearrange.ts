/**
 * What a pattern of rearrange comes to. A side is a tuple of groups, a group a tuple of names. The lengths of names are a
 * string of entries `;h=4;w=?;`, where `?` is a length that is not known; once the right side has used it, `h!` stands
 * for that of h.
 */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { FloorDivide, Product, Remainder } from './arithmetic.js';
import type { IsTuple, IsUnion } from './known.js';

type Group = readonly string[];

type Side = readonly Group[];

/** The names of a text without parentheses. An axis of length 1 has none. */
type Words<T extends string, Out extends Group = []> = T extends `${infer Word} ${infer Rest}`
  ? Words<Rest, Word extends '' | '1' ? Out : [...Out, Word]>
  : T extends '' | '1'
    ? Out
    : [...Out, T];

/** Words as groups of their own; an ellipsis, which stands for whole axes there, is ['.']. */
type Singles<T extends string, Out extends Side = []> = T extends `${infer Word} ${infer Rest}`
  ? Singles<Rest, Word extends '' ? Out : [...Out, Single<Word>]>
  : T extends ''
    ? Out
    : [...Out, Single<T>];

type Single<Word extends string> = Word extends '1' ? [] : Word extends '...' ? ['.'] : [Word];

type Groups<T extends string, Out extends Side = []> = T extends `${infer Before}(${infer Rest}`
  ? Rest extends `${infer Inside})${infer After}`
    ? Inside extends `${string}(${string}`
      ? Mismatch<Unpaired<'('>>
      : Before extends `${string})${string}`
        ? Mismatch<Unpaired<')'>>
        : Groups<After, [...Out, ...Singles<Before>, Words<Inside>]>
    : Mismatch<Unpaired<'('>>
  : T extends `${string})${string}`
    ? Mismatch<Unpaired<')'>>
    : [...Out, ...Singles<T>];

type Unpaired<P extends string> = `rearrange: the parenthesis ${P} has no partner`;

/** Blanks are spaces, and stand around an ellipsis. */
type Spaced<T extends string> = T extends `${infer A}\n${infer B}`
  ? Spaced<`${A} ${B}`>
  : T extends `${infer A}\t${infer B}`
    ? Spaced<`${A} ${B}`>
    : T;

type Apart<T extends string> = T extends `${infer A}...${infer B}` ? `${A} ... ${Apart<B>}` : T;

/** A length as it stands in an entry. */
type Text<N> = [N] extends [number] ? ([number] extends [N] ? '?' : IsUnion<N> extends true ? '?' : `${N}`) : '?';

type Value<T extends string> = T extends `${infer N extends number}` ? N : number;

/** A group as it stands in a pattern. */
type Shown<G extends Group, Out extends string = ''> = G extends readonly [
  infer H extends string,
  ...infer R extends Group,
]
  ? Shown<R, Out extends '' ? H : `${Out} ${H}`>
  : `(${Out})`;

/** The names of a group that have no length yet, the lengths of those that have one, and entries for the latter. */
type Sorted<
  G extends Group,
  L,
  Unknown extends Group = [],
  Known extends Shape = [],
  Env extends string = '',
> = G extends readonly [infer H extends string, ...infer R extends Group]
  ? H extends keyof L
    ? Text<L[H]> extends infer X extends string
      ? Sorted<R, L, Unknown, [...Known, Value<X>], `${Env}${H}=${X};`>
      : never
    : Sorted<R, L, [...Unknown, H], Known, Env>
  : [Unknown, Known, Env];

/** The entries for an axis of length N that is a group. */
type Solved<G extends Group, N extends number, L> =
  Sorted<G, L> extends [infer Unknown extends Group, infer Known extends Shape, infer Env extends string]
    ? Product<Known> extends infer P extends number
      ? Unknown extends readonly [infer Name extends string, ...infer More extends Group]
        ? More extends readonly [infer Other extends string, ...Group]
          ? Mismatch<`rearrange: the lengths of ${Name} and ${Other} in ${Shown<G>} are unknown`>
          : P extends 0
            ? Mismatch<Uneven<N, G, P>>
            : Remainder<N, P> extends infer Left extends number
              ? number extends Left
                ? `${Env}${Name}=?;`
                : Left extends 0
                  ? `${Env}${Name}=${FloorDivide<N, P>};`
                  : Mismatch<Uneven<N, G, P>>
              : never
        : '?' extends Text<N> | Text<P>
          ? Env
          : P extends N
            ? Env
            : Mismatch<`rearrange: ${Shown<G>} has the length ${N}, not ${P}`>
      : never
    : never;

type Uneven<
  N extends number,
  G extends Group,
  P extends number,
> = `rearrange: the length ${N} of ${Shown<G>} is no multiple of ${P}`;

/** The entries with those for an axis of length N; most groups are one name without a given length. */
type Bound<G extends Group, N extends number, L, Env extends string> = G extends readonly [infer H extends string]
  ? Env extends `${string};${H}=${string}`
    ? Mismatch<`rearrange: ${H} stands twice on one side`>
    : H extends keyof L
      ? Extended<Env, Solved<G, N, L>>
      : `${Env}${H}=${Text<N>};`
  : Extended<Env, Solved<G, N, L>>;

type Extended<Env extends string, More> = More extends string ? `${Env}${More}` : More;

/** The axes of an ellipsis, and those behind it, as many as there are groups. */
type Behind<S extends Shape, After extends Side, Back extends Shape = []> = After extends readonly [
  unknown,
  ...infer R extends Side,
]
  ? S extends readonly [...infer Front extends Shape, infer N extends number]
    ? Behind<Front, R, [N, ...Back]>
    : number extends S['length']
      ? Behind<S, R, [number, ...Back]>
      : 'rank'
  : [S, Back];

/** The left side against the shape: entries, and the axes of the ellipsis. */
type Read<
  Left extends Side,
  S extends Shape,
  L,
  Env extends string = ';',
  Dots extends Shape = [],
> = Left extends readonly [infer G extends Group, ...infer Rest extends Side]
  ? G extends readonly ['.']
    ? Behind<S, Rest> extends [infer Middle extends Shape, infer Back extends Shape]
      ? Read<Rest, Back, L, Env, Middle>
      : 'rank'
    : S extends readonly [infer N extends number, ...infer Q extends Shape]
      ? Next<Bound<G, N, L, Env>, Rest, Q, L, Dots>
      : number extends S['length']
        ? Next<Bound<G, number, L, Env>, Rest, S, L, Dots>
        : 'rank'
  : S extends readonly [number, ...Shape]
    ? 'rank'
    : [Env, Dots];

type Next<Found, Rest extends Side, S extends Shape, L, Dots extends Shape> = Found extends string
  ? Read<Rest, S, L, Found, Dots>
  : Found;

/** The lengths that a group of the right side is the product of, and the entries then. */
type Factors<G extends Group, Env extends string, Dots extends Shape, L, Out extends Shape = []> = G extends readonly [
  infer H extends string,
  ...infer R extends Group,
]
  ? Env extends `${infer A};${H}=${infer X};${infer B}`
    ? Factors<R, `${A};${H}!;${B}`, Dots, L, [...Out, Value<X>]>
    : H extends '...'
      ? Factors<R, Env, Dots, L, [...Out, ...Dots]>
      : H extends `${infer N extends number}`
        ? Factors<R, Env, Dots, L, [...Out, N]>
        : Env extends `${string};${H}!;${string}`
          ? Mismatch<`rearrange: ${H} stands twice on one side`>
          : H extends keyof L
            ? Factors<R, `${Env}${H}!;`, Dots, L, [...Out, Value<Text<L[H]>>]>
            : Mismatch<`rearrange: ${H} on the right is new and has no length`>
  : [Out, Env];

/** The axes of the right side. */
type Joined<
  Right extends Side,
  Env extends string,
  Dots extends Shape,
  L,
  Out extends Shape = readonly [],
> = Right extends readonly [infer G extends Group, ...infer Rest extends Side]
  ? G extends readonly ['.']
    ? Joined<Rest, Env, Dots, L, readonly [...Out, ...Dots]>
    : Factors<G, Env, Dots, L> extends infer Found
      ? Found extends [infer Lengths extends Shape, infer Left extends string]
        ? Joined<Rest, Left, Dots, L, readonly [...Out, Whole<Lengths>]>
        : Found
      : never
  : number extends Out['length']
    ? Shape
    : Out;

type Whole<Lengths extends Shape> = Lengths extends readonly [infer N extends number] ? N : Product<Lengths>;

type Names<S extends Side> = S[number][number];

/** What is wrong with a pattern whatever the shape; never if nothing is. */
type Fault<Left extends string, Right extends string, Given> =
  Extract<Left, '...' | `${number}`> extends infer Odd extends string
    ? [Odd] extends [never]
      ? Exclude<Left, Right | '.'> extends infer Lost extends string
        ? [Lost] extends [never]
          ? '.' extends Left
            ? [Extract<Right, '.' | '...'>] extends [never]
              ? 'the ellipsis stands on the left only'
              : Unused<Given, Right>
            : [Extract<Right, '.' | '...'>] extends [never]
              ? Unused<Given, Right>
              : 'the ellipsis stands on the right only'
          : `${Lost} stands on the left only`
        : never
      : Odd extends '...'
        ? 'the ellipsis stands in parentheses on the left'
        : `the number ${Odd} stands on the left`
    : never;

/** Lengths that belong to no name. */
type Unused<Given, Right extends string> = string extends Given
  ? never
  : Exclude<Given, Right> extends infer Extra extends string
    ? Extra extends never
      ? never
      : `the pattern has no axis ${Extra}`
    : never;

/** How many axes the left side has at least. */
type AtLeast<Left extends Side> =
  '.' extends Names<Left>
    ? Left extends readonly [unknown, ...infer R]
      ? `${R['length']} axes on the left at least`
      : never
    : `${Left['length']} axes on the left`;

type Applied<Left, Right, S extends Shape, L> = Left extends Side
  ? Right extends Side
    ? [Fault<Names<Left>, Names<Right>, keyof L>] extends [infer Wrong extends string]
      ? [Wrong] extends [never]
        ? Read<Left, S, L> extends infer Found
          ? Found extends [infer Env extends string, infer Dots extends Shape]
            ? Joined<Right, Env, Dots, L>
            : Found extends 'rank'
              ? Mismatch<`rearrange: the pattern has ${AtLeast<Left>}, the tensor ${S['length']}`>
              : Found
          : never
        : Mismatch<`rearrange: ${Wrong}`>
      : never
    : Right
  : Left;

type Parsed<P extends string, S extends Shape, L> = P extends `${infer Left}->${infer Right}`
  ? Right extends `${string}->${string}`
    ? Mismatch<'rearrange: a pattern has one arrow'>
    : Applied<Groups<Left>, Groups<Right>, S, L>
  : Mismatch<'rearrange: a pattern has one arrow'>;

/** rearrange: the shape from that of the tensor, the pattern, and the lengths given by name. */
export type RearrangeShape<
  S extends Shape,
  Pattern extends string,
  Lengths = Record<never, never>,
> = string extends Pattern
  ? Shape
  : // A pattern such as `${string} -> a`.
    Record<never, never> extends Record<Pattern, 1>
    ? Shape
    : Parsed<Apart<Spaced<Pattern>>, IsTuple<S> extends true ? S : Shape, Lengths>;
