/** Addresses as WGSL. All is done in u32: what comes out is right whatever wraps on the way. */
import { type Addresses, type Affine, axesOf, type Description, type Place, type Role } from './description.js';

/** An integer, which may be negative. */
export const word = (value: number): string => `${value >>> 0}u`;

/** Names of the axes' and tables' indices. */
export type Names = readonly string[];

/** The part of an affine integer that these axes have. */
export const partOf = (
  { coefficients, constant }: Affine,
  axes: readonly number[],
  names: Names,
  start: boolean,
): string => {
  const terms = axes.flatMap(axis => {
    const coefficient = coefficients[axis]!;
    return coefficient === 0 ? [] : [coefficient === 1 ? names[axis]! : `${names[axis]} * ${word(coefficient)}`];
  });
  if (start && constant !== 0) terms.push(word(constant));
  return terms.length === 0 ? '0u' : terms.join(' + ');
};

/** Statements that make indices of axes, innermost last, of one index of all. */
export const indicesOf = (
  axes: readonly number[],
  { axes: all }: Description,
  flat: string,
  names: Names,
): string[] => {
  const lines: string[] = [];
  let rest = flat;
  [...axes].reverse().forEach((axis, i) => {
    const { length } = all[axis]!;
    if (i === axes.length - 1) {
      lines.push(`let ${names[axis]} = ${rest};`);
      return;
    }
    lines.push(`let ${names[axis]} = ${rest} % ${length}u;`);
    lines.push(`let ${names[axis]}_ = ${rest} / ${length}u;`);
    rest = `${names[axis]}_`;
  });
  return lines;
};

export const inRange = (sum: string, { low, high }: Place): string =>
  low >= high ? 'false' : `(${sum} - ${word(low)}) < ${word(high - low)}`;

/** All of some conditions, without branches: with `&&` a shader has one for each. */
export const allOf = (conditions: readonly string[]): string =>
  conditions.map(condition => `(${condition})`).join(' & ');

/** Tables go with the axis whose indices they are of, which is one of a batch. */
export const withTables = (description: Description, role: Role): readonly number[] =>
  role === 'batch'
    ? [...axesOf(description, role), ...description.tables.map((_, i) => description.axes.length + i)]
    : axesOf(description, role);

/** Whether a place depends on any of these axes. */
export const dependsOn = (place: Place, axes: readonly number[]): boolean =>
  axes.some(axis => place.coefficients[axis] !== 0);

/**
 * Whether four neighbours along the innermost of these axes are always one aligned vector of the buffer, and all there
 * or all not.
 */
export const isVector = (map: Addresses, axes: readonly number[], { axes: all }: Description): boolean => {
  const inner = axes.at(-1);
  if (inner === undefined || all[inner]!.length % 4 !== 0 || map.coefficients[inner] !== 1) return false;
  if (map.constant % 4 !== 0) return false;
  if (map.places.some(place => dependsOn(place, [inner]))) return false;
  return map.coefficients.every((coefficient, axis) => axis === inner || coefficient % 4 === 0);
};
