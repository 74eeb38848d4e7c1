/**
 * WebGPU as we use it: the few parts in use, since the compiler knows the types of no page. Flags are the numbers of
 * the specification.
 */

export const bufferUsage = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyDestination: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
} as const;

/** Of buffers that are mapped. */
export const mapModeRead = 0x0001;

/** Which stage sees a binding. */
export const stageCompute = 0x0004;

export interface GpuBuffer {
  destroy(): void;
  mapAsync(mode: number, offset: number, size: number): Promise<void>;
  getMappedRange(offset: number, size: number): ArrayBuffer;
  unmap(): void;
}

export interface GpuBindGroup {
  readonly label: string;
}

export interface GpuBindGroupLayout {
  readonly label: string;
}

interface GpuPipelineLayout {
  readonly label: string;
}

export interface GpuComputePipeline {
  readonly label: string;
}

interface GpuShaderModule {
  getCompilationInfo(): Promise<{
    readonly messages: readonly {
      readonly type: string;
      readonly message: string;
      readonly lineNum: number;
      readonly linePos: number;
    }[];
  }>;
}

export interface GpuComputePass {
  setPipeline(pipeline: GpuComputePipeline): void;
  setBindGroup(index: number, group: GpuBindGroup, dynamicOffsets?: readonly number[]): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

interface GpuCommandBuffer {
  readonly label: string;
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  finish(): GpuCommandBuffer;
}

interface GpuQueue {
  submit(commands: readonly GpuCommandBuffer[]): void;
  /** The offset is in bytes; those of the data are in bytes for an ArrayBuffer and in elements otherwise. */
  writeBuffer(to: GpuBuffer, offset: number, data: ArrayBufferView | ArrayBuffer, from?: number, size?: number): void;
  onSubmittedWorkDone(): Promise<void>;
}

interface GpuError {
  readonly message: string;
}

interface GpuLayoutEntry {
  readonly binding: number;
  readonly visibility: number;
  readonly buffer: {
    readonly type: 'uniform' | 'storage' | 'read-only-storage';
    readonly hasDynamicOffset?: boolean;
    readonly minBindingSize: number;
  };
}

interface GpuBinding {
  readonly binding: number;
  readonly resource: { readonly buffer: GpuBuffer; readonly offset?: number; readonly size?: number };
}

type ErrorFilter = 'validation' | 'out-of-memory';

export interface GpuDevice {
  readonly limits: Readonly<Record<string, number | undefined>>;
  readonly queue: GpuQueue;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  onuncapturederror: ((event: { readonly error: GpuError; preventDefault?(): void }) => void) | null;
  createBuffer(settings: { readonly size: number; readonly usage: number }): GpuBuffer;
  createShaderModule(settings: { readonly code: string; readonly label?: string }): GpuShaderModule;
  createBindGroupLayout(settings: { readonly entries: readonly GpuLayoutEntry[] }): GpuBindGroupLayout;
  createPipelineLayout(settings: { readonly bindGroupLayouts: readonly GpuBindGroupLayout[] }): GpuPipelineLayout;
  createComputePipelineAsync(settings: {
    readonly label?: string;
    readonly layout: GpuPipelineLayout;
    readonly compute: { readonly module: GpuShaderModule; readonly entryPoint?: string };
  }): Promise<GpuComputePipeline>;
  createBindGroup(settings: {
    readonly layout: GpuBindGroupLayout;
    readonly entries: readonly GpuBinding[];
  }): GpuBindGroup;
  createCommandEncoder(): GpuCommandEncoder;
  pushErrorScope(filter: ErrorFilter): void;
  popErrorScope(): Promise<GpuError | null | undefined>;
}

export interface GpuAdapter {
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly device?: string;
    readonly description?: string;
    /** Whether it computes in software. */
    readonly isFallbackAdapter?: boolean;
  };
}
