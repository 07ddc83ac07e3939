/**
 * NumPy's default random generator, PCG64 (O'Neill, "PCG", 2014; XSL-RR output), as `default_rng(seed=42)` starts it. Any
 * place of its stream can be jumped to, so that random data are made when they are read and never held.
 */

/** Of `default_rng(seed=42)`. */
const START = 0xcea44f6798798f2aacbc7c9d68860ac8n;
const INCREMENT = 0xfa505436c9a8416e66caf2e28d25abffn;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** One step, or several at once: the state is multiplied and added to, modulo 2^128. */
interface Step {
  readonly multiplier: bigint;
  readonly increment: bigint;
}

/** `count` steps as one, by squaring (Brown, "Random Number Generation with Arbitrary Strides", 1994). */
function steps(count: number): Step {
  let multiplier = 1n;
  let increment = 0n;
  let doubledMultiplier = MULTIPLIER;
  let doubledIncrement = INCREMENT;
  for (let left = BigInt(count); left > 0n; left >>= 1n) {
    if (left & 1n) {
      multiplier = BigInt.asUintN(128, multiplier * doubledMultiplier);
      increment = BigInt.asUintN(128, increment * doubledMultiplier + doubledIncrement);
    }
    doubledIncrement = BigInt.asUintN(128, (doubledMultiplier + 1n) * doubledIncrement);
    doubledMultiplier = BigInt.asUintN(128, doubledMultiplier * doubledMultiplier);
  }
  return { multiplier, increment };
}

/** What is done with a draw: `high` and `low` are the halves of its 64 bits. */
export type Take = (high: number, low: number, index: number) => void;

/** Every `stride`-th draw from number `first` on, `count` of them. */
export function draw(first: number, stride: number, count: number, take: Take): void {
  const jump = steps(first + 1);
  const start = BigInt.asUintN(128, START * jump.multiplier + jump.increment);
  let [s0, s1, s2, s3] = words(start);
  const step = steps(stride);
  const [m0, m1, m2, m3, m4, m5, m6, m7] = halves(step.multiplier);
  const [i0, i1, i2, i3] = words(step.increment);
  for (let index = 0; index < count; index += 1) {
    const high = (s3 ^ s1) >>> 0;
    const low = (s2 ^ s0) >>> 0;
    const rotation = s3 >>> 26;
    const bits = rotation & 31;
    const top = rotation & 32 ? low : high;
    const bottom = rotation & 32 ? high : low;
    // A shift by 32 would shift by nothing.
    if (bits === 0) take(top, bottom, index);
    else {
      const rest = 32 - bits;
      take(((top >>> bits) | (bottom << rest)) >>> 0, ((bottom >>> bits) | (top << rest)) >>> 0, index);
    }
    // Words of 32 bits times halves of 16: no sum of these exceeds 2^53, and what exceeds 2^128 is left out.
    const c0 = s0 * m0 + i0;
    const k0 = Math.floor(c0 * 2 ** -16);
    const c1 = s0 * m1 + k0;
    const k1 = Math.floor(c1 * 2 ** -16);
    const c2 = s1 * m0 + s0 * m2 + i1 + k1;
    const k2 = Math.floor(c2 * 2 ** -16);
    const c3 = s1 * m1 + s0 * m3 + k2;
    const k3 = Math.floor(c3 * 2 ** -16);
    const c4 = s2 * m0 + s1 * m2 + s0 * m4 + i2 + k3;
    const k4 = Math.floor(c4 * 2 ** -16);
    const c5 = s2 * m1 + s1 * m3 + s0 * m5 + k4;
    const k5 = Math.floor(c5 * 2 ** -16);
    const c6 = s3 * m0 + s2 * m2 + s1 * m4 + s0 * m6 + i3 + k5;
    const k6 = Math.floor(c6 * 2 ** -16);
    const c7 = s3 * m1 + s2 * m3 + s1 * m5 + s0 * m7 + k6;
    const k7 = Math.floor(c7 * 2 ** -16);
    s0 = c0 - k0 * 65536 + (c1 - k1 * 65536) * 65536;
    s1 = c2 - k2 * 65536 + (c3 - k3 * 65536) * 65536;
    s2 = c4 - k4 * 65536 + (c5 - k5 * 65536) * 65536;
    s3 = c6 - k6 * 65536 + (c7 - k7 * 65536) * 65536;
  }
}

/** As `rng.random()` makes a number of 53 of the bits. */
export function toRandom(high: number, low: number): number {
  return (high * 2 ** 21 + (low >>> 11)) * 2 ** -53;
}

type Four = [number, number, number, number];

/** The lowest first. */
function words(value: bigint): Four {
  const part = (index: bigint) => Number(BigInt.asUintN(32, value >> (index * 32n)));
  return [part(0n), part(1n), part(2n), part(3n)];
}

function halves(value: bigint): [...Four, ...Four] {
  const part = (index: bigint) => Number(BigInt.asUintN(16, value >> (index * 16n)));
  return [part(0n), part(1n), part(2n), part(3n), part(4n), part(5n), part(6n), part(7n)];
}
