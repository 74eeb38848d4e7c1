/** The options of the suite for GPUs on a command line. */
import { InvalidArgumentError, Option } from 'commander';
import { type Group, groups } from './groups.js';

const named = (text: string): readonly Group[] =>
  text.split(',').map(name => {
    const group = groups.find(each => each === name);
    if (group === undefined) throw new InvalidArgumentError(`The parts are ${groups.join(', ')}.`);
    return group;
  });

const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Give a number of seconds.');
  return value;
};

export const modes = ['webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu'] as const;

/** Which parts, and how long at most. */
export const gpuOptions = (): readonly Option[] => [
  new Option('--only <parts>', `gpu: parts of it, out of ${groups.join(',')}`).argParser(named).default([], 'all'),
  new Option('--budget <seconds>', 'gpu: leave out what does not fit into so many seconds').argParser(seconds),
];

/** How the GPU is reached. */
export const modeOption = (): Option =>
  new Option('--mode <mode>', 'gpu: how it is reached, instead of the best way that works').choices(modes);
