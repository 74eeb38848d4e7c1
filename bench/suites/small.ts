/** What an expression costs beside its arithmetic: two operations on 16 elements take ten nanoseconds. */
import { uniform } from '../inputs.js';
import { type Case, measure } from '../measure.js';
import { rowOf, type Target } from '../row.js';
import { candidates, type Suite } from './suite.js';

const inputs = [uniform(0, [16])];

const variants = [
  { name: '3x + 2, jitted', jitted: true, read: false, microseconds: 5 },
  { name: '3x + 2, jitted, read', jitted: true, read: true, microseconds: 5 },
  { name: '3x + 2, un-jitted', jitted: false, read: false, microseconds: 10 },
  { name: '3x + 2, un-jitted, read', jitted: false, read: true, microseconds: 10 },
] as const;

const cases: readonly Case[] = variants.map(({ name, jitted, read }) => ({
  name,
  runners: candidates({ program: 'affine', inputs, jitted, read }),
}));

export const small: Suite = {
  about: 'expressions of 16 elements evaluated one at a time',
  run: (effort, report) => measure('small', cases, effort, report),
  targets: rows =>
    variants.map(({ name, microseconds }): Target => {
      const own = rowOf(rows, name);
      return {
        suite: 'small',
        what: name,
        goal: `≤ ${microseconds} µs`,
        measured: own === undefined ? null : `${(1000 * own.ms!).toFixed(2)} µs`,
        reached: own !== undefined && 1000 * own.ms! <= microseconds,
      };
    }),
};
