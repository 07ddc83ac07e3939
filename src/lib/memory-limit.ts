/** Memory that this process may use, in bytes: that of its container where there is a limit, else of the machine. */
import os from "node:os";

export function memoryLimit(): number {
  // 0 where the system does not say; more than there is where nothing limits the process.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}
