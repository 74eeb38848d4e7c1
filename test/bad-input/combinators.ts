/** Layers made of layers: what is no layer, and layers that do not fit. */
import { type Tensor, zeros } from 'tenfold';
import { activation, concatSkip, linear, parallel, repeat, residual } from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noLayers = [undefined, null, 3, 'linear', {}, { init: 3, apply: 3 }, zeros([2])];
const notTensors = [[1], 3, undefined, null];
const same = activation(x => x);
const other = { init: () => ({}), apply: (_: object, x: Tensor): Tensor => zeros([x.shape.length, 7]) };
const nothing = { init: () => ({}), apply: () => 3 };

export const combinators: BadInputs = {
  residual: [
    ...refused(residual, ...noLayers.map(layer => [layer])),
    ...refused(residual(same).apply, ...notTensors.map(x => [{}, x])),
    ...refused(residual(other).apply, [{}, zeros([2, 3])]),
    ...refused(residual(nothing as never).apply, [{}, zeros([2, 3])]),
  ],
  concatSkip: [
    ...refused(concatSkip, ...noLayers.map(layer => [layer])),
    ...refused(concatSkip, ...[{ axis: 0.5 }, { axis: '1' }, { axes: 1 }, 1].map(options => [same, options])),
    ...refused(concatSkip(same).apply, ...[...notTensors, zeros([3])].map(x => [{}, x])),
    ...refused(concatSkip(other, { axis: 1 }).apply, [{}, zeros([3, 3])], [{}, zeros([2, 3, 4])]),
    ...refused(concatSkip(nothing as never).apply, [{}, zeros([2, 3])]),
  ],
  parallel: [
    ...refused(parallel, [], [[], () => 3], [[same], 3], [same, () => 3], ...noLayers.map(layer => [[layer], () => 3])),
    ...refused(parallel([same], ([y]) => y!).apply, ...notTensors.map(x => [[{}], x])),
    ...refused(parallel([same], ([y]) => y!).apply, ...[[], {}, undefined, [1, 2]].map(params => [params, zeros([2])])),
    ...refused(parallel([same], ([y]) => y!).apply, [[{}], zeros([2]), { key: 3 }]),
  ],
  'nn.repeat': [
    ...refused(repeat, ...noLayers.map(layer => [layer, 2])),
    ...refused(repeat, ...[0, -1, 1.5, '2', null, undefined].map(count => [same, count])),
    ...refused(repeat, ...[{ segment: 2 }, 2, null].map(options => [same, 2, options])),
    ...refused(
      repeat(linear(3, 3), 2).apply,
      ...notTensors.map(x => [repeat(linear(3, 3), 2).init(key(0)), x]),
      ...[{}, null, { weight: zeros([3, 3]), bias: zeros([3]) }, { weight: 3 }].map(params => [params, zeros([3])]),
    ),
    ...refused(repeat(linear(3, 3), 2).apply, [repeat(linear(3, 3), 2).init(key(0)), zeros([3]), { key: 3 }]),
    ...refused(repeat(linear(3, 2), 2).apply, [repeat(linear(3, 2), 2).init(key(0)), zeros([4, 3])]),
  ],
};
