/** The notation of rearrange: what each axis is made of, before and after. */
import { ArgumentError, ShapeError } from '../../errors.js';
import { type Aval, checkInteger, range, type Shape, showAval, sizeOf } from '../../shape.js';
import { isTensor } from '../../tensor.js';
import { kindOf } from '../common/checks.js';

/** For each axis the names of what it is made of: none is an axis of length 1, `...` any number of axes. */
type Side = readonly (readonly string[])[];

/** How to get from one shape to the other. */
export interface Rearrangement {
  /** The shape with every axis taken apart. */
  readonly apart: Shape;
  /** Where what is taken apart goes. */
  readonly order: readonly number[];
  /** The shape then, with axes of length 1 where the pattern has new ones; and with these spread out. */
  readonly raised: Shape;
  readonly spread: Shape;
  readonly result: Shape;
}

const ellipsis = '...';

const refuse = (given: string, rule: string, hint: string): never => {
  throw new ArgumentError({ operation: 'rearrange', given, rule, hint });
};

/** An ellipsis outside of parentheses. */
const whole: readonly string[] = [ellipsis];

const isName = (token: string): boolean => /^[a-z]\w*$/i.test(token);

const parseSide = (text: string, pattern: string, isLeft: boolean): Side => {
  const given = `'${pattern}'`;
  const groups: (readonly string[])[] = [];
  let open: string[] | null = null;
  for (const [position, token] of (text.match(/\.\.\.|\w+|\S/g) ?? []).entries()) {
    if (token === '(' && open === null) {
      open = [];
      groups.push(open);
    } else if (token === ')' && open !== null) {
      open = null;
    } else if (token === '(' || token === ')') {
      refuse(given, `the parenthesis ${token} has no partner`, 'Parentheses come in pairs, none within another.');
    } else {
      const isNumber = /^[1-9]\d{0,8}$/.test(token);
      if (isNumber && isLeft && token !== '1')
        refuse(
          given,
          `the number ${token} stands on the left`,
          'Give the axis a name; numbers other than 1 are new axes.',
        );
      if (token === ellipsis && isLeft && open !== null)
        refuse(
          given,
          'the ellipsis stands in parentheses on the left',
          'On the left an ellipsis stands for whole axes.',
        );
      if (!isNumber && token !== ellipsis && !isName(token))
        refuse(given, `'${token}' is no name of an axis`, 'Names are letters, then letters, digits and underscores.');
      // Numbers are axes without a name: their places keep them apart.
      const names = token === '1' ? [] : [isNumber ? `${token}#${position}` : token];
      if (open === null) groups.push(token === ellipsis ? whole : names);
      else open.push(...names);
    }
  }
  if (open !== null)
    refuse(given, 'the parenthesis ( has no partner', 'Parentheses come in pairs, none within another.');
  const names = groups.flat();
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    refuse(given, `${twice} stands twice on one side`, 'An axis has one place; give different axes different names.');
  return groups;
};

/** The sides of a pattern, which name the same axes but for new ones on the right. */
const parse = (pattern: unknown, lengths: ReadonlyMap<string, unknown>): readonly [left: Side, right: Side] => {
  if (typeof pattern !== 'string') {
    return refuse(
      `${kindOf(pattern)} as the pattern`,
      'the pattern is a string and follows the tensor',
      "Write rearrange(x, 'b c h w -> b h w c').",
    );
  }
  const given = `'${pattern}'`;
  const texts = pattern.split('->');
  if (texts.length !== 2) refuse(given, 'a pattern has one arrow', "Write it as in 'b c h w -> b h w c'.");
  const [left, right] = texts.map((text, i) => parseSide(text, pattern, i === 0)) as [Side, Side];
  const [before, after] = [new Set(left.flat()), new Set(right.flat())];
  for (const name of before) {
    if (!after.has(name))
      refuse(
        given,
        `${name} stands on the left only`,
        'Nothing may get lost: write 1 for an axis of length 1, or reduce.',
      );
  }
  for (const name of after) {
    if (name === ellipsis && !before.has(name))
      refuse(given, 'the ellipsis stands on the right only', 'Write it on both sides.');
    if (isName(name) && !before.has(name) && !lengths.has(name))
      refuse(
        given,
        `${name} on the right is new and has no length`,
        `Give it one, { ${name}: 2 }, or name it on the left.`,
      );
  }
  for (const name of lengths.keys()) {
    if (!after.has(name) || !isName(name))
      refuse(`${given} and a length for ${name}`, `the pattern has no axis ${name}`, 'Check the spelling.');
  }
  return [left, right];
};

const checkLengths = (lengths: unknown): ReadonlyMap<string, number> => {
  if (typeof lengths !== 'object' || lengths === null || Array.isArray(lengths) || isTensor(lengths)) {
    return refuse(
      `${kindOf(lengths)} in the place of the lengths`,
      'the lengths of axes stand in an object, by their names',
      "Write rearrange(x, '(h w) -> h w', { h: 8 }).",
    );
  }
  const known = new Map<string, number>(Object.entries(lengths));
  for (const [name, length] of known)
    checkInteger('rearrange', `the length of ${name}`, length, 0, Number.MAX_SAFE_INTEGER);
  return known;
};

const show = (group: readonly string[]): string => `(${group.map(name => name.split('#')[0]).join(' ')})`;

/** Adds the lengths that follow from that of an axis. */
const solve = (x: Aval, axis: number, group: readonly string[], lengths: Map<string, number>): void => {
  const length = x.shape[axis]!;
  const open = group.filter(name => !lengths.has(name));
  const known = group.filter(name => lengths.has(name));
  const product = sizeOf(known.map(name => lengths.get(name)!));
  if (open.length > 1) {
    refuse(
      `${showAval(x)} and ${show(group)} for axis ${axis}`,
      `the lengths of ${open.join(' and ')} are unknown`,
      `Give all but one of them: { ${open[0]}: … }.`,
    );
  }
  if (open.length === 1 ? product === 0 || length % product !== 0 : product !== length) {
    const values = known.map(name => `${name} = ${lengths.get(name)}`).join(', ');
    throw new ShapeError({
      operation: 'rearrange',
      given: `${showAval(x)} and ${show(group)} for axis ${axis}${values === '' ? '' : ` with ${values}`}`,
      rule:
        open.length === 1
          ? `the length ${length} is no multiple of ${product}`
          : `the axis has the length ${length}, not ${product}`,
      hint: 'Change the lengths, or pad or slice the axis first.',
    });
  }
  if (open.length === 1) lengths.set(open[0]!, length / product);
};

/**
 * What a pattern does to a shape.
 *
 * @throws ArgumentError for a pattern that says nothing clear
 * @throws ShapeError for one that does not fit
 */
export const rearrangement = (x: Aval, pattern: unknown, given: unknown): Rearrangement => {
  const lengths = new Map(checkLengths(given));
  const [left, right] = parse(pattern, lengths);
  const hidden = x.shape.length - left.filter(group => group !== whole).length;
  if (left.includes(whole) ? hidden < 0 : hidden !== 0) {
    throw new ShapeError({
      operation: 'rearrange',
      given: `${showAval(x)} and '${pattern}'`,
      rule: `the pattern has ${x.shape.length - hidden} axes on the left${hidden < 0 ? ' at least' : ''}, the tensor ${x.shape.length}`,
      hint: 'Name every axis, or let an ellipsis ... stand for some.',
    });
  }
  const axes = range(Math.max(0, hidden)).map(i => `${ellipsis}${i}`);
  const inner = (group: readonly string[]): string[] => group.flatMap(name => (name === ellipsis ? axes : [name]));
  const from = left.flatMap(group => (group === whole ? axes.map(name => [name]) : [group]));
  const to = right.flatMap(group => (group === whole ? axes.map(name => [name]) : [inner(group)]));
  from.forEach((group, axis) => {
    solve(x, axis, group, lengths);
  });
  const lengthOf = (name: string): number => lengths.get(name) ?? Number(name.split('#')[0]);
  const [before, after] = [from.flat(), to.flat()];
  return {
    apart: before.map(lengthOf),
    order: after.filter(name => before.includes(name)).map(name => before.indexOf(name)),
    raised: after.map(name => (before.includes(name) ? lengthOf(name) : 1)),
    spread: after.map(lengthOf),
    result: to.map(group => sizeOf(group.map(lengthOf))),
  };
};
