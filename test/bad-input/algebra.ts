/** Layers with other parameters, layers as a category, summaries: what is no layer, and parameters of another form. */
import { type Tensor, zeros } from 'tenfold';
import { compose, identity, linear, mapParams, summary, withParams } from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noLayers = [undefined, null, 3, 'linear', {}, { init: 3, apply: 3 }, zeros([2])];
const same = (params: unknown): unknown => params;
const layer = linear(3, 2);
const params = layer.init(key(0));
const { weight, bias } = params;
const deep = { init: () => ({ a: [{ b: bias }] }), apply: (_: unknown, x: Tensor): Tensor => x };
const strange = { init: () => ({ a: 3 }), apply: (_: unknown, x: Tensor): Tensor => x };
const mute = { init: () => ({}), apply: () => 3 };

export const algebra: BadInputs = {
  mapParams: refused(
    mapParams,
    [],
    ...noLayers.map(each => [each, same]),
    ...[undefined, null, 3, {}].flatMap(f => [[layer, f], ...(f === undefined ? [] : [[layer, same, f]])]),
  ),
  withParams: [
    ...refused(withParams, [], ...noLayers.map(each => [each, params])),
    ...refused(withParams, ...[undefined, null, {}, { weight: null }, [], 3, { bias: 3 }].map(held => [layer, held])),
    ...[weight, { scale: weight }, [weight], { bias: weight }, { bias: { x: bias } }].flatMap(held =>
      refused(withParams(layer, held as never).init, [key(0)]),
    ),
    ...refused(
      withParams(layer, { weight }).apply,
      ...[params, { weight, bias: null }, null, [], {}, { bias }].map(free => [free, zeros([3])]),
    ),
    ...[{ a: [] }, { a: [null, { b: bias }] }, { a: { b: bias } }]
      .map(held => ({ z: bias, ...held }))
      .flatMap(held => refused(withParams(deep, held as never).init, [key(0)])),
    ...[{ a: [null, { b: bias }] }, { a: bias }].flatMap(held =>
      refused(withParams(deep, held as never).init, [key(0)]),
    ),
  ],
  'nn.compose': refused(
    compose,
    [],
    ...noLayers.flatMap(each => [
      [each, layer],
      [layer, each],
      [identity, each],
    ]),
  ),
  summary: refused(
    summary,
    [],
    ...noLayers.map(each => [each, [2, 3]]),
    [layer],
    ...[[-1], [1.5, 3], undefined, null, 3, 'shape', () => 3].map(shape => [layer, shape]),
    [strange, [3]],
    [mute, [3]],
  ),
};
