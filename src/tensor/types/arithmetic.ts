/**
 * Arithmetic of the lengths in shapes, digit by digit. Inside, a number is the string of its digits from the lowest to
 * the highest (1024 is '4201'), since the compiler takes strings apart at the front only. What is no single natural
 * number (`number`, a union, a fraction, something negative) is '' there, and gives `number`.
 */
import type { Shape } from '../shape.js';
import type { IsUnion } from './known.js';

type Bit = '0' | '1';

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';

/** Row r, column x: carry and digit of r + x. */
type Sums = [
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'],
  ['02', '03', '04', '05', '06', '07', '08', '09', '10', '11'],
  ['03', '04', '05', '06', '07', '08', '09', '10', '11', '12'],
  ['04', '05', '06', '07', '08', '09', '10', '11', '12', '13'],
  ['05', '06', '07', '08', '09', '10', '11', '12', '13', '14'],
  ['06', '07', '08', '09', '10', '11', '12', '13', '14', '15'],
  ['07', '08', '09', '10', '11', '12', '13', '14', '15', '16'],
  ['08', '09', '10', '11', '12', '13', '14', '15', '16', '17'],
  ['09', '10', '11', '12', '13', '14', '15', '16', '17', '18'],
  ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'],
];

/** Row r, column x: borrow and digit of x − r. */
type Differences = [
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['19', '00', '01', '02', '03', '04', '05', '06', '07', '08'],
  ['18', '19', '00', '01', '02', '03', '04', '05', '06', '07'],
  ['17', '18', '19', '00', '01', '02', '03', '04', '05', '06'],
  ['16', '17', '18', '19', '00', '01', '02', '03', '04', '05'],
  ['15', '16', '17', '18', '19', '00', '01', '02', '03', '04'],
  ['14', '15', '16', '17', '18', '19', '00', '01', '02', '03'],
  ['13', '14', '15', '16', '17', '18', '19', '00', '01', '02'],
  ['12', '13', '14', '15', '16', '17', '18', '19', '00', '01'],
  ['11', '12', '13', '14', '15', '16', '17', '18', '19', '00'],
  ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'],
];

/** Row r, column x: both digits of r · x. */
type Products = [
  ['00', '00', '00', '00', '00', '00', '00', '00', '00', '00'],
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['00', '02', '04', '06', '08', '10', '12', '14', '16', '18'],
  ['00', '03', '06', '09', '12', '15', '18', '21', '24', '27'],
  ['00', '04', '08', '12', '16', '20', '24', '28', '32', '36'],
  ['00', '05', '10', '15', '20', '25', '30', '35', '40', '45'],
  ['00', '06', '12', '18', '24', '30', '36', '42', '48', '54'],
  ['00', '07', '14', '21', '28', '35', '42', '49', '56', '63'],
  ['00', '08', '16', '24', '32', '40', '48', '56', '64', '72'],
  ['00', '09', '18', '27', '36', '45', '54', '63', '72', '81'],
];

/** Row c, column x: c + x, which picks the row of a table below where c is carried or borrowed. */
type Shift = [['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']];

/** The string from its end to its start, three characters in a step. */
export type Reversed<
  S extends string,
  Out extends string = '',
> = S extends `${infer A}${infer B}${infer C}${infer Rest}`
  ? Reversed<Rest, `${C}${B}${A}${Out}`>
  : S extends `${infer A}${infer B}${infer Rest}`
    ? `${Rest}${B}${A}${Out}`
    : `${S}${Out}`;

/** What no natural number is written with. */
type Unnatural = `-${string}` | `${string}.${string}` | `${string}e${string}`;

/** The number as it is written; '' for anything but one natural number. */
type Written<N extends number> = [number] extends [N]
  ? ''
  : IsUnion<N> extends true
    ? ''
    : `${N}` extends Unnatural
      ? ''
      : `${N}`;

/** The digits from the lowest; '' for anything but one natural number. */
type Little<N extends number> = Reversed<Written<N>>;

/** The number written so, without the zeros before it; `number` for ''. */
export type Natural<Text extends string> = Text extends `0${infer Rest}`
  ? Rest extends ''
    ? 0
    : Natural<Rest>
  : Text extends `${infer N extends number}`
    ? N
    : number;

/** The number of these digits from the lowest; `number` for ''. */
export type FromLittle<S extends string> = Natural<Reversed<S>>;

type Sum<
  A extends string,
  B extends string,
  Carry extends Bit = '0',
  Out extends string = '',
> = A extends `${infer X extends Digit}${infer P}`
  ? B extends `${infer Y extends Digit}${infer Q}`
    ? Sums[Shift[Carry][X]][Y] extends `${infer C extends Bit}${infer D}`
      ? Sum<P, Q, C, `${Out}${D}`>
      : ''
    : Carry extends '0'
      ? `${Out}${A}`
      : Sum<A, '1', '0', Out>
  : Carry extends '0'
    ? `${Out}${B}`
    : B extends ''
      ? `${Out}1`
      : Sum<B, '1', '0', Out>;

/** A − B; '' where that is negative. */
type Minus<
  A extends string,
  B extends string,
  Borrow extends Bit = '0',
  Out extends string = '',
> = B extends `${infer Y extends Digit}${infer Q}`
  ? A extends `${infer X extends Digit}${infer P}`
    ? Differences[Shift[Borrow][Y]][X] extends `${infer C extends Bit}${infer D}`
      ? Minus<P, Q, C, `${Out}${D}`>
      : ''
    : ''
  : Borrow extends '0'
    ? `${Out}${A}`
    : A extends ''
      ? ''
      : Minus<A, '1', '0', Out>;

/** A times one digit. */
type Scaled<
  A extends string,
  By extends Digit,
  Carry extends Digit | '10' = '0',
  Out extends string = '',
> = A extends `${infer X extends Digit}${infer Rest}`
  ? Products[By][X] extends `${infer T extends Digit}${infer U extends Digit}`
    ? Sums[Carry][U] extends `${infer C extends Bit}${infer D}`
      ? Scaled<Rest, By, Shift[C][T], `${Out}${D}`>
      : ''
    : ''
  : Carry extends '0'
    ? Out
    : `${Out}${Carry}`;

/** A times the number written B, from its first digit on. */
type Times<
  A extends string,
  B extends string,
  Out extends string = '',
> = B extends `${infer D extends Digit}${infer Rest}`
  ? Times<A, Rest, D extends '0' ? `0${Out}` : Out extends '' ? Scaled<A, D> : Sum<`0${Out}`, Scaled<A, D>>>
  : Out;

/** How often B, at most nine times, can be taken from A, and what is left of it. */
type Taken<A extends string, B extends string, Count extends Digit | '10' = '0'> = Count extends Digit
  ? Minus<A, B> extends infer Left extends string
    ? Left extends ''
      ? [Count, A]
      : Taken<Left, B, Shift[1][Count]>
    : never
  : never;

/** Quotient, as it is written, and remainder of the number written A and B: long division. */
export type Divided<
  A extends string,
  B extends string,
  Left extends string = '',
  Out extends string = '',
> = A extends `${infer D extends Digit}${infer Rest}`
  ? Taken<`${D}${Left}`, B> extends [infer Q extends string, infer R extends string]
    ? Divided<Rest, B, R, `${Out}${Q}`>
    : never
  : [Out, Left];

/** A + B. */
export type Add<A extends number, B extends number> =
  Little<A> extends '' ? number : Little<B> extends '' ? number : FromLittle<Sum<Little<A>, Little<B>>>;

type Negative<N extends number> = `-${N}` extends `${infer M extends number}` ? M : number;

/** A − B, which may be negative. */
export type Subtract<A extends number, B extends number> =
  Little<A> extends ''
    ? number
    : Little<B> extends ''
      ? number
      : Minus<Little<A>, Little<B>> extends infer Left extends string
        ? Left extends ''
          ? Negative<FromLittle<Minus<Little<B>, Little<A>>>>
          : FromLittle<Left>
        : number;

/** A · B. */
export type Multiply<A extends number, B extends number> =
  Little<A> extends '' ? number : Little<B> extends '' ? number : FromLittle<Times<Little<A>, `${B}`>>;

/** ⌊A / B⌋; `number` where B is 0. */
export type FloorDivide<A extends number, B extends number> =
  Little<A> extends ''
    ? number
    : Little<B> extends '' | '0'
      ? number
      : B extends 1
        ? A
        : Natural<Divided<`${A}`, Little<B>>[0]>;

/** A − B · ⌊A / B⌋; `number` where B is 0. */
export type Remainder<A extends number, B extends number> =
  Little<A> extends '' ? number : Little<B> extends '' | '0' ? number : FromLittle<Divided<`${A}`, Little<B>>[1]>;

/** −1 where A < B, 0 where they are equal, 1 where A > B, and `number` where the compiler cannot tell. */
export type Compare<A extends number, B extends number> =
  Little<A> extends ''
    ? number
    : Little<B> extends ''
      ? number
      : A extends B
        ? 0
        : Minus<Little<A>, Little<B>> extends ''
          ? -1
          : 1;

/** The digits, from the lowest, of the product of the lengths; '' where one of them is not known. */
export type LittleProduct<S extends Shape, Out extends string = '1'> = S extends readonly [
  infer N extends number,
  ...infer Rest extends Shape,
]
  ? Written<N> extends ''
    ? ''
    : N extends 1
      ? LittleProduct<Rest, Out>
      : N extends 0
        ? LittleProduct<Rest, '0'>
        : Out extends '1'
          ? LittleProduct<Rest, Little<N>>
          : Out extends '0'
            ? LittleProduct<Rest, '0'>
            : LittleProduct<Rest, Times<Out, `${N}`>>
  : S extends readonly []
    ? Out
    : '';

/** The number of elements of a tensor of the shape; `number` where a length or the rank is not known. */
export type Product<S extends Shape> = FromLittle<LittleProduct<S>>;
