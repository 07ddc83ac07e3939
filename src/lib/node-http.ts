/**
 * What is used of `node:http` at runtime. An `import` of that module reads all its exports, among them `WebSocket`, for which Node
 * loads its whole HTTP client: measured as 55 ms of CPU and 13 MB. Types can be imported as usual.
 */
export const { METHODS, STATUS_CODES, ServerResponse, request } = process.getBuiltinModule("node:http");
