/** What is used of WebGPU itself: a device for a peer, and the copies that programs are held to. */

interface Buffer {
  mapAsync(mode: number): Promise<void>;
  unmap(): void;
  destroy(): void;
}

interface Encoder {
  copyBufferToBuffer(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void;
  finish(): unknown;
}

interface Device {
  readonly queue: { submit(commands: readonly unknown[]): void };
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): Buffer;
  createCommandEncoder(): Encoder;
}

type Limits = Readonly<Record<string, number>>;

export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
}

interface Adapter {
  readonly info?: AdapterInfo;
  readonly limits: Limits;
  readonly features: ReadonlySet<string>;
  requestDevice(descriptor: object): Promise<Device>;
}

interface Navigator {
  readonly gpu?: { requestAdapter(options?: object): Promise<Adapter | null> };
}

/** The adapter that WebGPU offers for work, or null. */
export const requestAdapter = async (): Promise<Adapter | null> => {
  const { navigator } = globalThis as { readonly navigator?: Navigator };
  return (await navigator?.gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
};

/** What an adapter calls itself. */
export const nameOf = ({ vendor, architecture, device, description }: AdapterInfo): string =>
  [vendor, architecture, device, description].filter(part => part !== undefined && part !== '').join(' ');

/** The limits that tfjs asks for when it asks itself. */
const wanted = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
];

/** A device of its own. */
export const requestDevice = async (): Promise<{ readonly device: Device; readonly info: AdapterInfo }> => {
  const adapter = await requestAdapter();
  if (adapter === null) throw new Error('there is no WebGPU adapter');
  const { limits, info = {} } = adapter;
  const requiredLimits = Object.fromEntries(wanted.map(name => [name, limits[name]]));
  return { device: await adapter.requestDevice({ requiredLimits }), info };
};

const usage = { mapRead: 1, copySource: 4, copyDestination: 8 } as const;
const readMode = 1;

export interface Copies {
  /** Copies as often as told, each after the one before, and waits. */
  readonly copy: (count: number) => Promise<void>;
  readonly destroy: () => void;
}

/** Copies of so many bytes from a buffer to another and back, on a device. */
export const copies = (device: Device, bytes: number): Copies => {
  const { copySource, copyDestination, mapRead } = usage;
  const [a, b] = [0, 1].map(() => device.createBuffer({ size: bytes, usage: copySource | copyDestination })) as [
    Buffer,
    Buffer,
  ];
  const last = device.createBuffer({ size: 4, usage: mapRead | copyDestination });
  return {
    copy: async count => {
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < count; i++) encoder.copyBufferToBuffer(i % 2 === 0 ? a : b, 0, i % 2 === 0 ? b : a, 0, bytes);
      encoder.copyBufferToBuffer(count % 2 === 0 ? a : b, 0, last, 0, 4);
      device.queue.submit([encoder.finish()]);
      await last.mapAsync(readMode);
      last.unmap();
    },
    destroy: () => {
      for (const buffer of [a, b, last]) buffer.destroy();
    },
  };
};

/** The device that gpu.js computes on, and with it this library. */
export const deviceOfGpuJs = async (): Promise<Device> => {
  const module = (await import('gpu.js')) as unknown as { readonly default?: unknown };
  const { WebGPUContext } = (module.default ?? module) as {
    readonly WebGPUContext: { acquire(): Promise<{ readonly device: unknown }> };
  };
  return (await WebGPUContext.acquire()).device as Device;
};
