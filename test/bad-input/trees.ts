/** Trees: what contains itself, and functions that are none. */
import { Applicative } from 'fp-ts/lib/Option.js';
import {
  flatten,
  leaves,
  map,
  mapWithPath,
  paths,
  reduce,
  select,
  showPath,
  traverse,
  update,
  zipWith,
} from 'tenfold/tree';
import { type BadInputs, refused } from './types.js';

const list: unknown[] = [1];
list.push({ above: list });
const record: Record<string, unknown> = {};
record.self = record;
const endless = [list, record, [[record]]];

const noFunctions = [undefined, null, 3, 'f', [], {}];
const noPatterns = [undefined, null, 3, '', [], ['**'], {}];
const noAnswers = [() => 1, () => undefined, () => 'yes'];
const sum = (x: number, y: number): number => x + y;

export const trees: BadInputs = {
  'tree.flatten': [...refused(flatten, ...endless.map(tree => [tree]))],
  leaves: refused(leaves, ...endless.map(tree => [tree])),
  map: refused(
    map,
    [],
    ...noFunctions.flatMap(f => [[f], [{ a: 1 }, f], [{}, f]]),
    ...endless.map(tree => [tree, String]),
  ),
  mapWithPath: refused(
    mapWithPath,
    [],
    ...noFunctions.flatMap(f => [[f], [{ a: 1 }, f]]),
    ...endless.map(tree => [tree, String]),
  ),
  paths: refused(paths, ...endless.map(tree => [tree])),
  select: refused(
    select,
    [],
    ...noPatterns.flatMap(pattern => [[pattern], [{ a: 1 }, pattern]]),
    ...noAnswers.map(pattern => [{ a: 1 }, pattern]),
    ...endless.map(tree => [tree, '**']),
  ),
  update: refused(
    update,
    [],
    ['**'],
    ...noPatterns.flatMap(pattern => [
      [pattern, String],
      [{ a: 1 }, pattern, String],
    ]),
    ...noFunctions.flatMap(f => [
      ['**', f],
      [{ a: 1 }, '**', f],
    ]),
    ...noAnswers.map(pattern => [{ a: 1 }, pattern, String]),
    ...endless.map(tree => [tree, '**', String]),
  ),
  traverse: [
    ...refused(traverse, [], [null], [3], [{}], [{ of: Applicative.of, map: Applicative.map }]),
    ...refused(
      traverse(Applicative),
      ...noFunctions.map(f => [{ a: 1 }, f]),
      ...endless.map(tree => [tree, Applicative.of]),
    ),
  ],
  reduce: refused(reduce, ...noFunctions.map(f => [{ a: 1 }, f, 0]), ...endless.map(tree => [tree, sum, 0])),
  zipWith: refused(
    zipWith,
    [],
    ...noFunctions.map(f => [f, [1], [2]]),
    ...endless.flatMap(tree => [
      [sum, tree, [1]],
      [sum, [1], tree],
    ]),
    ...[null, 3, [], [1, 2], [[1]], { 0: 1 }, { a: 1 }].map(other => [sum, [1], other]),
  ),
  showPath: refused(showPath, [], [null], ['blocks'], [3], [{}], [[null]], [['a', undefined]], [[{}]]),
};
