/**
 * `tiled.examples.generated:tree`: images, cubes, tables and a dataset, the larger example of Tiled's documentation. Names,
 * shapes, types and chunks are Tiled's; the random numbers are not. Tiled's sparse, awkward and ragged arrays are left out,
 * because this server does not support their structure families.
 */
import type { Clock } from "../../lib/clock.ts";
import { asArray, type Column, float64, int64, type Values } from "../model/columns.ts";
import type { ArrayNode, ContainerNode, Tree } from "../model/contract.ts";
import type { ElementType, StructType } from "../model/data-type.ts";
import { bytesArray, constantArray, container, spec, table, valuesArray } from "./memory.ts";
import { randomArray, randomNumbers } from "./random-array.ts";

/** One seed per array. */
const SEED = {
  bigImage: 1,
  smallImage: 2,
  mediumImage: 3,
  tinyImage: 4,
  tinyCube: 5,
  tinyHypercube: 6,
  highEntropy: 7,
  tinyColumn: 8,
  shortColumn: 9,
  longColumn: 10,
  complexReal: 11,
  complexImaginary: 12,
  precipitation: 13,
  temperature: 14,
  flat: 15,
  digits: 16,
} as const;

const CAT = { animal: "cat", color: "green" };
const DOG = { animal: "dog", color: "red" };

/** Creates the tree; `dynamic` changes with this clock. */
export function generated(clock: Clock): Tree {
  const started = clock.now();
  return {
    root: container([
      ["scalars", scalars()],
      ["nested", nested()],
      ["tables", tables()],
      ["structured_data", structured()],
      ["flat_array", randomArray(SEED.flat, [100])],
      [
        "low_entropy",
        bytesArray({
          bytes: new Uint8Array(new Int32Array(10_000).fill(1).buffer),
          dataType: INT32,
          shape: [100, 100],
        }),
      ],
      ["high_entropy", valuesArray(int64(integers(SEED.highEntropy, 10_000, -10, 10)), [100, 100])],
      ["dynamic", dynamic(() => Math.floor((clock.now() - started) / CHANGES_EVERY) + 1)],
    ]),
  };
}

const INT32: ElementType = { endianness: "little", kind: "i", itemsize: 4, dt_units: null };

function scalars(): ContainerNode {
  return container(
    [
      ["pi", valuesArray(float64(Float64Array.of(Math.round(Math.PI * 1e5) / 1e5)), [])],
      ["e_arr", valuesArray({ type: "text", data: ["2.71828"] }, [1])],
      ["fsc", valuesArray({ type: "text", data: ["1/137"] }, [])],
      ["fortytwo", valuesArray(int64(BigInt64Array.of(42n)), [])],
    ],
    { metadata: { numbers: "constants", precision: 5 } },
  );
}

function nested(): ContainerNode {
  const images = container(
    [
      ["tiny_image", randomArray(SEED.tinyImage, [50, 50])],
      ["small_image", randomArray(SEED.smallImage, [300, 300])],
      [
        "medium_image",
        randomArray(SEED.mediumImage, [1000, 1000], {
          chunks: [new Array(4).fill(250), new Array(10).fill(100)],
        }),
      ],
      [
        "big_image",
        randomArray(SEED.bigImage, [10_000, 10_000], { chunks: new Array(2).fill([4096, 4096, 1808]) }),
      ],
    ],
    { metadata: CAT },
  );
  const cubes = container(
    [
      ["tiny_cube", randomArray(SEED.tinyCube, [50, 50, 50])],
      [
        "tiny_hypercube",
        randomArray(SEED.tinyHypercube, [50, 50, 50, 50, 50], { chunks: new Array(5).fill([27, 23]) }),
      ],
    ],
    { metadata: DOG },
  );
  return container(
    [
      ["images", images],
      ["cubes", cubes],
      ["complex", complex()],
    ],
    { metadata: CAT },
  );
}

function complex(): ArrayNode {
  const real = randomNumbers(SEED.complexReal, 1500);
  const imaginary = randomNumbers(SEED.complexImaginary, 1500);
  const pairs = Float64Array.from({ length: 3000 }, (_, index) => {
    return (index % 2 === 0 ? real : imaginary)[index >> 1] ?? 0;
  });
  const dataType: ElementType = { endianness: "little", kind: "c", itemsize: 16, dt_units: null };
  return bytesArray({ bytes: new Uint8Array(pairs.buffer), dataType, shape: [30, 50] });
}

const DAY = 86_400n;
const FIRST_OF_JANUARY_2025 = 1_735_689_600n;

function tables(): ContainerNode {
  const indexed = { specs: [spec("dataframe")], indexName: "index" };
  const floats = randomNumbers(SEED.shortColumn, 100);
  const short: readonly Values[] = [
    {
      type: "uint8",
      data: Uint8Array.from(randomNumbers(SEED.digits, 100), (value) => Math.floor(value * 10)),
    },
    float64(floats),
    { type: "text", data: Array.from(floats, (value) => letter(Math.floor(value * 52)).repeat(3)) },
    {
      type: "datetime64",
      unit: "s",
      data: BigInt64Array.from(floats, (_, day) => FIRST_OF_JANUARY_2025 + BigInt(day) * DAY),
    },
    { type: "bool", data: Uint8Array.from(floats, (value) => (value < 0.5 ? 1 : 0)) },
  ];
  const long = randomNumbers(SEED.longColumn, 100_000);
  const tiny = randomNumbers(SEED.tinyColumn, 10);
  const times = (factor: number, values: Float64Array<ArrayBuffer>) =>
    float64(values.map((value) => factor * value));
  return container([
    ["short_table", table(lettered(short), 1, { metadata: DOG, ...indexed })],
    [
      "long_table",
      table(lettered([1, 2, 3].map((factor) => times(factor, long))), 5, {
        metadata: { animal: "dog", color: "green" },
        ...indexed,
      }),
    ],
    [
      "wide_table",
      table(lettered(Array.from({ length: 26 }, (_, index) => times(index + 1, tiny))), 1, {
        metadata: DOG,
        ...indexed,
      }),
    ],
  ]);
}

function lettered(columns: readonly Values[]): readonly Column[] {
  return columns.map((values, index) => ({ name: String.fromCharCode(65 + index), values }));
}

/** a to z, A to Z. */
function letter(index: number): string {
  return String.fromCharCode(index < 26 ? 97 + index : 65 + index - 26);
}

function structured(): ContainerNode {
  return container(
    [
      ["pets", pets()],
      ["xarray_dataset", dataset()],
    ],
    { metadata: CAT },
  );
}

const PET: StructType = {
  itemsize: 48,
  fields: [
    {
      name: "name",
      dtype: { endianness: "little", kind: "U", itemsize: 40, dt_units: null },
      shape: null,
    },
    { name: "age", dtype: INT32, shape: null },
    {
      name: "weight",
      dtype: { endianness: "little", kind: "f", itemsize: 4, dt_units: null },
      shape: null,
    },
  ],
};

function pets(): ArrayNode {
  const animals = [
    ["Rex", 9, 81],
    ["Fido", 3, 27],
  ] as const;
  const bytes = new Uint8Array(animals.length * PET.itemsize);
  const view = new DataView(bytes.buffer);
  for (const [index, [name, age, weight]] of animals.entries()) {
    const start = index * PET.itemsize;
    bytes.set(asArray({ type: "text", data: [name] }).bytes, start);
    view.setInt32(start + 40, age, true);
    view.setFloat32(start + 44, weight, true);
  }
  return bytesArray({ bytes, dataType: PET, shape: [animals.length] });
}

const SIXTH_OF_SEPTEMBER_2014 = 1_409_961_600_000_000_000n;

function dataset(): ContainerNode {
  const metadata = { attrs: {} };
  const variable = (values: Values, shape: readonly number[], dims: readonly string[]) =>
    valuesArray(values, shape, { metadata, dims, specs: [spec("xarray_data_var")] });
  const coordinate = (values: Values, shape: readonly number[], dims: readonly string[]) =>
    valuesArray(values, shape, { metadata, dims, specs: [spec("xarray_coord")] });
  const space = ["x", "y"];
  const warmth = randomNumbers(SEED.temperature, 12).map((value) => 15 + 16 * (value - 0.5));
  const rain = randomNumbers(SEED.precipitation, 12).map((value) => 10 * value);
  const times = BigInt64Array.from(
    [0n, 1n, 2n],
    (day) => SIXTH_OF_SEPTEMBER_2014 + day * DAY * 1_000_000_000n,
  );
  return container(
    [
      ["temperature", variable(float64(warmth), [2, 2, 3], [...space, "time"])],
      ["precipitation", variable(float64(rain), [2, 2, 3], [...space, "time"])],
      ["lon", coordinate(float64(Float64Array.of(-99.83, -99.32, -99.79, -99.23)), [2, 2], space)],
      ["lat", coordinate(float64(Float64Array.of(42.25, 42.21, 42.63, 42.59)), [2, 2], space)],
      ["time", coordinate({ type: "datetime64", unit: "ns", data: times }, [3], ["time"])],
    ],
    { metadata, specs: [spec("xarray_dataset")], inlined: true },
  );
}

function integers(seed: number, count: number, low: number, high: number): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(randomNumbers(seed, count), (value) =>
    BigInt(low + Math.floor(value * (high - low))),
  );
}

/** In milliseconds. */
const CHANGES_EVERY = 3000;

/** An array whose number changes with time. */
function dynamic(value: () => number): ArrayNode {
  const shape = [3, 3];
  return { ...constantArray(0, shape), open: () => constantArray(value(), shape).open() };
}
