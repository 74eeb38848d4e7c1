/** A U-Net with classes, scale-shift norm and the new order of attention, as guided-diffusion has it. */
import { networkTests } from './unet.js';

networkTests('unet_b');
