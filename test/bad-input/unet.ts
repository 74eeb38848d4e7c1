/** U-Nets: made with options that cannot be, applied to what does not fit; parameters by wrong names. */
import { type Tensor, zeros } from 'tenfold';
import { linear, loadStateDict, stateDict, unet, unetEncoder } from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const small = {
  inChannels: 2,
  modelChannels: 32,
  outChannels: 3,
  numResBlocks: 1,
  attentionResolutions: [2],
  channelMult: [1, 1],
};

const spoiled: readonly object[] = [
  ...['inChannels', 'modelChannels', 'outChannels', 'numResBlocks', 'numHeads', 'numHeadChannels'].flatMap(name =>
    [-1, 1.5, Number.NaN, '2', null].map(value => ({ [name]: value })),
  ),
  ...[null, 2, [0], [-1], ['1'], [Number.NaN]].map(attentionResolutions => ({ attentionResolutions })),
  ...[null, 2, [], [0], ['1'], [1, 1.1], [0.001]].map(channelMult => ({ channelMult })),
  ...[-0.1, 1, Number.NaN, '0', null].map(dropout => ({ dropout })),
  ...[0, 4, '2', null].map(dims => ({ dims })),
  ...['convResample', 'checkpointing', 'useScaleShiftNorm', 'resblockUpdown', 'useNewAttentionOrder'].flatMap(name =>
    [0, 'true', null].map(value => ({ [name]: value })),
  ),
  ...[{ modelChannels: 40 }, { numHeads: 3 }, { numHeadChannels: 24 }, { useFp16: true }],
  ...[0, 1.5, '8', null].map(imageSize => ({ imageSize })),
];

const options = (list: readonly object[]): readonly (readonly unknown[])[] => list.map(each => [{ ...small, ...each }]);

const x = zeros([2, 2, 8, 8]);
const t = zeros([2]);
const model = unet(small);
const params = model.init(key(0));
const withClasses = unet({ ...small, numClasses: 4 });
const classParams = withClasses.init(key(0));
const classifier = unetEncoder({ ...small, resblockUpdown: true });
const classifierParams = classifier.init(key(0));
const attending = unetEncoder({ ...small, pool: 'attention', imageSize: 8, numHeadChannels: 16 });

/** What neither of them takes. */
const misfits = (own: object): readonly (readonly unknown[])[] => [
  ...[zeros([2, 3, 8, 8]), zeros([2, 8, 8]), zeros([2, 2, 8, 8, 8]), zeros([2, 2, 8, 8], { dtype: 'uint8' }), 3].map(
    image => [own, image, t],
  ),
  ...[zeros([3]), zeros([]), zeros([2, 1]), zeros([2], { dtype: 'bool' }), 3, undefined].map(times => [own, x, times]),
  ...[3, [], null, { z: t }, { key: 3 }, { key: zeros([2]) }].map(context => [own, x, t, context]),
  ...[undefined, null, 3, {}, [], { ...own, out: {} }, { ...own, timeEmbed: 3 }, { ...own, inputBlocks: [] }].map(
    wrong => [wrong, x, t],
  ),
];

const bytes: Tensor = zeros([2], { dtype: 'uint8' });

export const unets: BadInputs = {
  unet: [
    ...refused(unet, [], [null], [3], [{}], ...options(spoiled)),
    ...refused(
      unet,
      ...options([
        { imageSize: 9 },
        { numClasses: 0 },
        { numClasses: '4' },
        { numHeadsUpsample: 3 },
        { pool: 'adaptive' },
      ]),
    ),
    ...refused(model.apply, ...misfits(params), [params, zeros([2, 2, 8, 7]), t], [params, x, t, { y: bytes }]),
    ...refused(
      withClasses.apply,
      ...[undefined, t, zeros([3], { dtype: 'int32' }), 3].map(y => [classParams, x, t, { y }]),
      [params, x, t, { y: bytes }],
    ),
  ],
  unetEncoder: [
    ...refused(unetEncoder, [], [null], [3], [{}], ...options(spoiled)),
    ...refused(unetEncoder, ...options([{ pool: 'mean' }, { pool: null }, { pool: 'attention' }, { numClasses: 4 }])),
    ...refused(unetEncoder, ...options([{ pool: 'attention', imageSize: 9, numHeadChannels: 16 }])),
    ...refused(classifier.apply, ...misfits(classifierParams), [classifierParams, zeros([2, 2, 1, 8]), t]),
    ...refused(attending.apply, [attending.init(key(0)), zeros([2, 2, 16, 16]), t]),
  ],
  loadStateDict: [
    ...refused(
      loadStateDict,
      [],
      [null, {}],
      [3, {}],
      [{}, {}],
      [linear(3, 2)],
      [linear(3, 2), [x]],
      [linear(3, 2), 3],
    ),
    ...refused(loadStateDict, [{ init: linear(3, 2).init, stateName: 'weight' }, {}]),
    ...refused(loadStateDict, [{ init: linear(3, 2).init, stateConstants: {} }, {}]),
    ...refused(
      loadStateDict,
      ...[
        {},
        { weight: zeros([2, 3]) },
        { weight: zeros([3, 2]), bias: zeros([2]) },
        { weight: zeros([2, 3], { dtype: 'int32' }), bias: zeros([2]) },
        { weight: [1], bias: zeros([2]) },
        { weight: zeros([2, 3]), bias: zeros([2]), scale: zeros([2]) },
      ].map(tensors => [linear(3, 2), tensors]),
    ),
  ],
  stateDict: refused(
    stateDict,
    [],
    [null, {}],
    [{}, {}],
    [linear(3, 2), { weight: 3 }],
    [linear(3, 2), 3],
    [linear(3, 2)],
  ),
};
