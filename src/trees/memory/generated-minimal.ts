/**
 * `tiled.examples.generated_minimal:tree`: two arrays, a table and a dataset, the tree in the examples of Tiled's
 * documentation.
 */
import { float64, int64 } from "../model/columns.ts";
import type { ContainerNode, Tree } from "../model/contract.ts";
import { constantArray, container, spec, table, valuesArray } from "./memory.ts";

const ROWS = 100;

/** Creates the tree. */
export function generatedMinimal(): Tree {
  return {
    root: container(
      [
        ["A", constantArray(1, [100, 100])],
        ["B", constantArray(1, [100, 100, 100])],
        ["C", frame()],
        ["D", dataset()],
      ],
      { metadata: { thing: "stuff" } },
    ),
  };
}

function frame() {
  const column = (name: string, value: number) => ({
    name,
    values: float64(new Float64Array(ROWS).fill(value)),
  });
  return table([column("x", 1), column("y", 2), column("z", 3)], 3, { specs: [spec("dataframe")] });
}

function dataset(): ContainerNode {
  const metadata = { attrs: {} };
  const dims = ["time"];
  return container(
    [
      [
        "temperature",
        valuesArray(int64(BigInt64Array.of(100n, 99n, 98n)), [3], {
          metadata,
          dims,
          specs: [spec("xarray_data_var")],
        }),
      ],
      [
        "time",
        valuesArray(int64(BigInt64Array.of(1n, 2n, 3n)), [3], {
          metadata,
          dims,
          specs: [spec("xarray_coord")],
        }),
      ],
    ],
    { metadata, specs: [spec("xarray_dataset")], inlined: true },
  );
}
