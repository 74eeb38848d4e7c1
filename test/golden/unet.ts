/** What the groups of U-Nets share: networks and blocks in float32 and float64, with every recorded gradient. */
import { type FloatDType, mean, mul, square, sub, sum, type Tensor, tensor, valueAndGrad } from 'tenfold';
import {
  loadStateDict,
  type NamedModel,
  stateDict,
  type UnetEncoderOptions,
  type UnetEncoderParams,
  type UnetOptions,
  type UnetParams,
  unet,
  unetEncoder,
} from 'tenfold/nn';
import { describe, expect, it } from 'vitest';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import {
  at,
  booleanOf,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  type JsonObject,
  numberOf,
  numbersOf,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';

type Json = GoldenCase[string];

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** A tensor of the group: floats in the dtype that is tested. */
export const readIn =
  (group: GoldenGroup, dtype: FloatDType) =>
  (ref: Json | undefined): Tensor => {
    const { data, shape, dtype: stored } = group.tensor(ref);
    return tensor(data, shape, { dtype: stored === 'I32' ? 'int32' : stored === 'U8' ? 'uint8' : dtype }) as Tensor;
  };

const mapped = <T>(json: Json | undefined, f: (value: Json) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(objectOf(json ?? {})).map(([name, value]) => [name, f(value!)]));

/** A network or a block as the group has it: parameters by their names there, and inputs by theirs. */
export interface Subject {
  readonly model: NamedModel<unknown>;
  readonly apply: (params: never, inputs: Tensors) => Tensor;
}

/** The parameters that a case has, of which no name may be left over. */
const paramsOf = (model: NamedModel<unknown>, state: Tensors): unknown => {
  const loaded = loadStateDict(model, state);
  if (loaded._tag === 'Left') throw loaded.left;
  return loaded.right;
};

/** What a case has for the results and gradients, against what they are. */
interface Compared {
  readonly name: string;
  readonly got: Tensor;
  readonly ref: Json;
}

/** Recommended for gradients of whole networks, which have no error of their own: relative to the largest of them. */
const ofWholeNetworks = 1e-4;

const compareGradient = (
  where: string,
  dtype: FloatDType,
  testCase: GoldenCase,
  group: GoldenGroup,
  { name, got, ref }: Compared,
): void => {
  const wanted = group.tensor(ref);
  const values = { shape: got.shape, data: got.dataSync() };
  const largest = Float64Array.from(wanted.data).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const error = objectOf(testCase.f32_err ?? {})[name] ?? [(ofWholeNetworks / 10) * largest, 0];
  // Large ones are recorded in float32.
  if (dtype === 'float64') withinF64(where, values, wanted, wanted.dtype === 'F32' ? 2 ** -24 : 1e-12);
  else withinF32(where, values, wanted, error);
};

/** Norms of the gradients of all parameters; those that cancel out are recorded as 0. */
const compareNorms = (where: string, dtype: FloatDType, norms: JsonObject, gradients: Tensors): void => {
  expect(Object.keys(gradients).sort(), `parameters of ${where}`).toEqual(Object.keys(norms).sort());
  const refs = Object.values(norms).map(numberOf);
  const largest = Math.max(0, ...refs);
  for (const [name, ref] of Object.entries(norms)) {
    const squares = Float64Array.from(gradients[name]!.dataSync(), x => x * x);
    const norm = Math.sqrt(squares.reduce((total, x) => total + x, 0));
    const place = `${where}, norm of ${name}`;
    const reference = numberOf(ref);
    if (dtype === 'float64') withinF64(place, norm, reference, 1e-12 * Math.max(1, largest));
    else withinF32(place, norm, reference, [(ofWholeNetworks / 10) * Math.max(reference, 0.01 * largest), 0]);
  }
};

/** What the loss is differentiated by. */
interface Sought {
  readonly params: unknown;
  readonly some: Tensors;
}

/** The output, the loss where there is one, and all recorded gradients, on wasm. */
export const checkSubject = (
  testCase: GoldenCase,
  group: GoldenGroup,
  dtype: FloatDType,
  { model, apply }: Subject,
): void => {
  const read = readIn(group, dtype);
  const inputs = mapped(at(testCase, 'inputs'), read);
  const params = paramsOf(model, mapped(testCase.state_dict, read));
  const given = objectOf(at(testCase, 'grad64', 'inputs'));
  const sought = Object.fromEntries(Object.keys(given).map(name => [name, inputs[name]!]));
  const [target, cotangent] = [testCase.target, testCase.cot].map(ref => (ref === undefined ? null : read(ref))) as [
    Tensor | null,
    Tensor | null,
  ];
  if ((target === null) === (cotangent === null)) unknownCase('loss', testCase.loss);
  const lossOf = ({ params: p, some }: Sought): readonly [Tensor, Tensor] => {
    const y = apply(p as never, { ...inputs, ...some });
    return [target === null ? sum(mul(y, cotangent!)) : mean(square(sub(y, target))), y];
  };
  const [[loss, y], gradients] = valueAndGrad(lossOf, { aux: true })({ params, some: sought });
  const byName = stateDict(model, gradients.params);
  evaluate([loss, y, ...Object.values(byName), ...Object.values(gradients.some)].map(nodeOf), wasmBackend);

  const where = `${testCase.name}, ${dtype}`;
  for (const [name, ref] of Object.entries(objectOf(at(testCase, 'out64')))) {
    const got = name === 'y' ? y : name === 'loss' ? loss : unknownCase('output', name);
    const values = { shape: got.shape, data: got.dataSync() };
    expect(got.dtype, `the dtype of ${where}, ${name}`).toBe(dtype);
    if (dtype === 'float64') withinF64(`${where}, ${name}`, values, group.tensor(ref));
    else withinF32(`${where}, ${name}`, values, group.tensor(ref), objectOf(testCase.f32_err ?? {})[name]);
  }
  for (const [name, ref] of Object.entries(given)) {
    const compared = { name: `grad.${name}`, got: gradients.some[name]!, ref: ref! };
    compareGradient(`${where}, grad.${name}`, dtype, testCase, group, compared);
  }
  for (const [name, ref] of Object.entries(objectOf(at(testCase, 'grad64', 'params')))) {
    if (byName[name] === undefined) unknownCase('parameter', name);
    const compared = { name: `grad.${name}`, got: byName[name]!, ref: ref! };
    compareGradient(`${where}, grad.${name}`, dtype, testCase, group, compared);
  }
  compareNorms(where, dtype, objectOf(at(testCase, 'grad_norms64')), byName);
};

const has = (config: JsonObject, name: string): boolean => config[name] !== undefined && config[name] !== null;

/** Numbers, of which the reference writes -1 for those that are left out. */
const given = (config: JsonObject, name: string): number | undefined =>
  has(config, name) && numberOf(config[name]) !== -1 ? numberOf(config[name]) : undefined;

type Reader = (config: JsonObject, name: string) => unknown;

const flag: Reader = (config, name) => (has(config, name) ? booleanOf(config[name]) : undefined);
const list: Reader = (config, name) => (has(config, name) ? numbersOf(config[name]) : undefined);
const word: Reader = (config, name) => (has(config, name) ? stringOf(config[name]) : undefined);
/** Half precision, which is not that of a case. */
const unused: Reader = () => undefined;

/** Arguments of the reference's constructors: what they are called here, and how to read them. */
const settings: Readonly<Record<string, readonly [name: string, Reader]>> = {
  image_size: ['imageSize', given],
  in_channels: ['inChannels', given],
  model_channels: ['modelChannels', given],
  out_channels: ['outChannels', given],
  num_res_blocks: ['numResBlocks', given],
  attention_resolutions: ['attentionResolutions', list],
  dropout: ['dropout', given],
  channel_mult: ['channelMult', list],
  conv_resample: ['convResample', flag],
  dims: ['dims', given],
  num_classes: ['numClasses', given],
  use_checkpoint: ['checkpointing', flag],
  use_fp16: ['fp16', unused],
  num_heads: ['numHeads', given],
  num_head_channels: ['numHeadChannels', given],
  num_heads_upsample: ['numHeadsUpsample', given],
  use_scale_shift_norm: ['useScaleShiftNorm', flag],
  resblock_updown: ['resblockUpdown', flag],
  use_new_attention_order: ['useNewAttentionOrder', flag],
  pool: ['pool', word],
};

/** Options in our names; those that have their defaults are left out. */
const optionsOf = (config: JsonObject): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.keys(config)
      .map(name => {
        const [own, read] = settings[name] ?? unknownCase('option', name);
        return [own, read(config, name)] as const;
      })
      .filter(([, value]) => value !== undefined),
  );

/** The network of a case. */
const networkOf = (testCase: GoldenCase): Subject => {
  const options = optionsOf(objectOf(at(testCase, 'config')));
  const kind = stringOf(at(testCase, 'model'));
  if (kind === 'UNetModel') {
    const model = unet(options as unknown as UnetOptions);
    const apply = (params: UnetParams, { x, t, y }: Tensors): Tensor =>
      model.apply(params, x!, t!, y === undefined ? {} : { y });
    return { model, apply };
  }
  if (kind !== 'EncoderUNetModel') unknownCase('model', kind);
  const { numHeadsUpsample: _, ...own } = options;
  const model = unetEncoder(own as unknown as UnetEncoderOptions);
  return { model, apply: (params: UnetEncoderParams, { x, t }: Tensors): Tensor => model.apply(params, x!, t!) };
};

/** Tests of a group of networks, each in float32 and in float64. */
export const networkTests = (name: string): void => {
  const suite = selected(name) ? describe : describe.skip;
  suite(name, () => {
    const check = (testCase: GoldenCase, group: GoldenGroup): void => {
      const subject = networkOf(testCase);
      const state = objectOf(at(testCase, 'state_dict'));
      const count = Object.values(state).reduce<number>(
        (total, ref) => total + numbersOf(at(ref!, 'shape')).reduce((size, length) => size * length, 1),
        0,
      );
      expect(count, 'how many numbers the parameters are').toBe(numberOf(at(testCase, 'parameter_count')));
      for (const dtype of ['float32', 'float64'] as const) checkSubject(testCase, group, dtype, subject);
    };
    for (const { title, run } of goldenTests(name, check)) it(title, run, 120_000);
  });
};
