/**
 * Routes by which the reference changes users, groups, datasets, tables and terms. Here the configuration does, so they say 405
 * rather than that they do not exist.
 */
import type { HTTPMethods } from "fastify";
import { refuseMethods } from "../../errors.ts";
import type { TypedApp } from "../../typed-app.ts";

const WHY = "the configuration decides";
const READ: readonly HTTPMethods[] = ["GET", "HEAD"];

/** `allowed`: methods that the path answers. */
const CHANGES: readonly {
  readonly path: string;
  readonly methods: readonly HTTPMethods[];
  readonly allowed?: readonly HTTPMethods[];
}[] = [
  { path: "user", methods: ["POST"], allowed: READ },
  { path: "user/:id", methods: ["PUT", "DELETE"], allowed: READ },
  { path: "group", methods: ["POST"] },
  { path: "group/:id/user", methods: ["POST"], allowed: READ },
  { path: "group/:id/user/:user", methods: ["PUT", "DELETE"] },
  { path: "group/:id/service_account", methods: ["POST"] },
  { path: "group/:id/service_account/:account", methods: ["DELETE"] },
  { path: "service_account", methods: ["POST"] },
  { path: "service_account/:id", methods: ["PUT", "DELETE"] },
  { path: "dataset", methods: ["POST"] },
  { path: "dataset/:id", methods: ["PUT"] },
  { path: "dataset/:id/admin", methods: ["POST"] },
  { path: "dataset/:id/admin/:user", methods: ["DELETE"] },
  { path: "dataset/:id/group", methods: ["POST"] },
  { path: "dataset/:id/group/:group/permission/:permission", methods: ["DELETE"] },
  { path: "permission", methods: ["POST"] },
  { path: "permission/:id", methods: ["PUT"] },
  { path: "tos", methods: ["POST"] },
  { path: "tos/:id", methods: ["PUT"] },
  { path: "service/:namespace/table/:table/dataset/:dataset", methods: ["POST", "DELETE"] },
];

export function leftOutRoutes(app: TypedApp, prefix: string): void {
  for (const { path, methods, allowed = [] } of CHANGES) {
    refuseMethods(app, `${prefix}/${path}`, [...methods], allowed, WHY);
  }
}
