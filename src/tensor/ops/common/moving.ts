/** Nodes that move elements, left out where they would change nothing. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { type Shape, sameShape } from '../../shape.js';

export const reshapeNode = (x: Node, shape: Shape): Node => (sameShape(x.shape, shape) ? x : b.reshape(x, { shape }));

export const permuteNode = (x: Node, axes: readonly number[]): Node =>
  axes.every((axis, i) => axis === i) ? x : b.permute(x, { axes });

/** From `start` to before `stop` along one axis, all of the others. */
export const sliceAlong = (x: Node, axis: number, start: number, stop: number, step = 1): Node =>
  start === 0 && stop === x.shape[axis] && step === 1
    ? x
    : b.slice(x, {
        start: x.shape.map((_, i) => (i === axis ? start : 0)),
        stop: x.shape.map((length, i) => (i === axis ? stop : length)),
        step: x.shape.map((_, i) => (i === axis ? step : 1)),
      });

/** What is not empty of the nodes, one after the other along an axis. */
export const joined = (nodes: readonly Node[], axis: number): Node => {
  const full = nodes.filter(x => x.shape[axis] !== 0);
  return full.length > 1 ? b.concat(full, { axis }) : (full[0] ?? nodes[0]!);
};
