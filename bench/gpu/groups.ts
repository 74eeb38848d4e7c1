/** Parts of the suite for GPUs. */
export const groups = ['gemm', 'conv', 'fused', 'train', 'sample'] as const;
export type Group = (typeof groups)[number];
