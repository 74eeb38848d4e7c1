/** The backend that computes on a device. */
import type { Program } from '../../compile/program.js';
import { type Aval, sizeOf } from '../../shape.js';
import type { Storage } from '../../storage.js';
import type { Backend, Executable } from '../backend.js';
import { now } from '../wasm/api.js';
import type { Device } from './device.js';
import type { Launchable } from './launch/launcher.js';
import type { Pass } from './pass.js';
import type { Value } from './passes/sequence.js';
import { type CpuStep, isList, type Made, type Plan, planOf } from './plan.js';
import { report } from './report.js';
import { type Counts, type Course, follow, run, settled } from './run.js';
import { DeviceStorage } from './storage.js';

const passesOf = ({ steps }: Plan): readonly Pass[] =>
  steps.flatMap(step => {
    if (step.kind === 'launch') return [step.pass];
    return step.kind === 'region' ? step.bodies.flatMap(passesOf) : [];
  });

/** A program that the CPU backend runs as a whole, if it is one. */
const onlyOnCpu = ({ steps }: Plan, program: Program): CpuStep | null => {
  const [step, ...others] = steps;
  return step?.kind === 'cpu' && others.length === 0 && step.program === program ? step : null;
};

const prepared = (device: Device, program: Program, counts: Counts): Executable => {
  const { launcher } = device;
  const began = now();
  const plan = planOf(program, launcher.traits);
  const planMs = now() - began;
  const passes = [...new Set(passesOf(plan))];
  const preparing = passes.map(pass => launcher.prepare(pass));
  counts.compiled += passes.length;
  const launchables = new Map<Pass, Launchable>();
  let ready: Promise<void> | null = null;
  const keep = (all: readonly Launchable[]): void => {
    for (const [i, pass] of passes.entries()) launchables.set(pass, all[i]!);
    ready = null;
  };
  if (preparing.some(each => each instanceof Promise)) {
    ready = Promise.all(preparing).then(keep);
    // Whoever runs it gets the error.
    ready.catch(() => {});
  } else keep(preparing as readonly Launchable[]);

  const cpu = onlyOnCpu(plan, program);
  const given = program.inputs.length;
  const wanted = [...new Set(plan.outputs.flatMap((made): readonly Value[] => (isList(made) ? made : [made])))].filter(
    value => value >= given,
  );
  const promised = (aval: Aval): DeviceStorage => new DeviceStorage(device, aval.dtype, sizeOf(aval.shape));

  /** Programs of one turn of the event loop are handed over together. */
  let handing = false;
  const soon = (): void => {
    if (handing) return;
    handing = true;
    void Promise.resolve().then(() => {
      handing = false;
      launcher.flush();
    });
  };

  return {
    run: (inputs, scalars) => {
      if (cpu !== null && inputs.every(storage => storage.device === undefined))
        return cpu.executable.run(inputs, scalars);
      const storages = new Map(wanted.map(value => [value, promised(plan.avals.get(value)!)] as const));
      const made = [...storages.values()];
      const resultOf = (value: Value): Storage => (value < given ? inputs[value]! : storages.get(value)!);
      function* course(): Course<void> {
        if (ready !== null) yield ready;
        const outcomes = yield* run({ device, counts, launchables, scalars }, plan, inputs, wanted);
        for (const [i, outcome] of outcomes.entries()) {
          if ('buffer' in outcome) device.settle(made[i]!, outcome.buffer);
          else device.provide(made[i]!, yield* settled(outcome.storage.read()));
        }
        soon();
      }
      device.enqueue(() => follow(course()), made);
      return plan.outputs.map((each: Made) => (isList(each) ? each.map(resultOf) : resultOf(each)));
    },
    explain: () => report(plan, launcher, planMs),
  };
};

export const gpuBackend = (device: Device, counts: Counts): Backend => ({
  name: 'gpu',
  compile: program => prepared(device, program, counts),
});
