/**
 * The part of the package `yaml` that profiles need. Imported when a profile is read, in place of the package: in the bundle,
 * `import()` of a CommonJS package has no named members.
 */
export { isMap, isNode, isScalar, parseDocument, stringify } from "yaml";
