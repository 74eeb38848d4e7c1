/** Denoisers that are exact: of Gaussian data, whose elements are independent. */
import { add, div, mul, ones, square, sub, type Tensor } from 'tenfold';
import { combine, type Denoiser } from 'tenfold/diffusion';

/** Of data of a mean and a variance, at any level of any scaling. */
export const gaussian =
  (mean: number, variance: number): Denoiser =>
  (x, { alpha, sigma }) => {
    const total = add(mul(square(alpha), variance), square(sigma));
    const gain = div(mul(alpha, variance), total) as Tensor;
    const unit = ones(x.shape, { dtype: x.dtype as 'float64' }) as Tensor;
    return {
      x0: combine([gain, x], [mul(sub(1, mul(gain, alpha)), mean) as Tensor, unit]),
      eps: combine([div(sigma, total) as Tensor, x], [mul(div(mul(sigma, alpha), total), -mean) as Tensor, unit]),
    };
  };
