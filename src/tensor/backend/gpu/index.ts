/** Opening a device: the GPU backend, which is loaded when somebody asks for it. */
import { DeviceError } from '../../errors.js';
import type { Storage } from '../../storage.js';
import type { Backend } from '../backend.js';
import { Device } from './device.js';
import { gpuBackend } from './gpu.js';
import { openArrays } from './launch/arrays.js';
import type { Launcher, Mode } from './launch/launcher.js';
import { openTextures } from './launch/textures.js';
import { openWebGpu } from './launch/webgpu.js';
import { DeviceStorage } from './storage.js';

/** What a device keeps, and what has gone there and back. */
interface OpenStats {
  readonly residentBytes: number;
  readonly residentValues: number;
  readonly spilledBytes: number;
  readonly readbacks: number;
  readonly readbackBytes: number;
  readonly uploads: number;
  readonly uploadedBytes: number;
  readonly launches: number;
  readonly compiled: number;
}

export interface OpenDevice {
  readonly backend: Backend;
  readonly mode: Mode;
  readonly adapter: string;
  readonly limits: Readonly<Record<string, number>>;
  /** Brings a value to the device; what no device can hold, float64, stays where it is. */
  put(storage: Storage): Promise<Storage>;
  /** Waits until everything is done. */
  finish(): Promise<void>;
  destroy(): Promise<void>;
  stats(): OpenStats;
  /** Why nothing works any more, or null. */
  lost(): string | null;
  /** Bytes for values before the least recently used leave for ordinary arrays. */
  setBudget(bytes: number): void;
}

/** What came of trying modes. */
export interface Opened {
  readonly device: OpenDevice | null;
  readonly refused: readonly { readonly mode: Mode; readonly reason: string }[];
}

/** Bytes for values unless somebody says otherwise: nothing tells how much memory a GPU has. */
const defaultBudget = 2 ** 31;

const launcherOf = (mode: Mode): Promise<Launcher> => {
  switch (mode) {
    case 'webgpu':
      return openWebGpu();
    case 'webgl2':
    case 'headlessgl':
      return openTextures(mode);
    default:
      return openArrays(mode);
  }
};

const opened = (launcher: Launcher): OpenDevice => {
  const device = new Device(launcher, defaultBudget);
  const counts = { launches: 0, compiled: 0 };
  const backend = gpuBackend(device, counts);
  const { mode, adapter, limits } = launcher;
  return {
    backend,
    mode,
    adapter,
    limits,
    put: async storage => {
      const here = storage instanceof DeviceStorage && storage.home === device;
      if (here || storage.dtype === 'float64') return storage;
      const placed = device.place(storage.dtype, await storage.read());
      await new Promise<void>((resolve, reject) => {
        device.enqueue(async () => {
          try {
            await device.use(placed);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      });
      return placed;
    },
    finish: () => device.finish(),
    destroy: () => device.destroy(),
    stats: () => {
      const { residentBytes, residentValues, spilledBytes, readbacks, readbackBytes, uploads, uploadedBytes } =
        device.stats;
      return {
        residentBytes,
        residentValues,
        spilledBytes,
        readbacks,
        readbackBytes,
        uploads,
        uploadedBytes,
        ...counts,
      };
    },
    lost: () => launcher.lost,
    setBudget: bytes => {
      device.budget = bytes;
    },
  };
};

const reasonOf = (error: unknown): string => {
  if (error instanceof DeviceError) return `${error.rule}. ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
};

/** The first of the modes that works, and why those before it do not. */
export const openDevice = async (modes: readonly Mode[]): Promise<Opened> => {
  const refused: { mode: Mode; reason: string }[] = [];
  for (const mode of modes) {
    try {
      return { device: opened(await launcherOf(mode)), refused };
    } catch (error) {
      refused.push({ mode, reason: reasonOf(error) });
    }
  }
  return { device: null, refused };
};
