/**
 * A page that logs in to a Tiled server by device code and shows an array. `tiled-auth/client` does everything about logins;
 * this file shows what it asks for, and draws what it reads.
 */
import {
  CannotRefreshAuthentication,
  Context,
  deviceCodeGrant,
  passwordGrant,
  TiledError,
} from "tiled-auth/client";

/** Rows and columns that are fetched at most. */
const MOST = 200;
/** From the smallest value to the largest. */
const PALETTE = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

/** The elements with an id. @type {Record<string, any>} */
const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((one) => [one.id, one]));
const screens = [page.connect, page.login, page.code, page.data];
/** @type {Context} */
let context;
/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;

async function connect() {
  // Without a `store` the login is kept in memory, and ends with the page.
  ({ context } = await Context.fromAnyUri(page.server.value, { retry: { attempts: 3, timeout: 10_000 } }));
  // Not what was typed, which may have an API key.
  localStorage.setItem("server", context.baseUrl);
  const { providers } = context.serverInfo.authentication;
  if (providers.length === 0) return await enter();
  const buttons = providers.filter(({ mode }) => mode === "external").map(codeButton);
  page.providers.replaceChildren(...buttons);
  page.providers.hidden = buttons.length === 0;
  const withPassword = providers.find(({ mode }) => mode !== "external");
  page.password.hidden = withPassword === undefined;
  page.password.onsubmit = onSubmit("Logging in…", () => loginWithPassword(withPassword?.provider));
  show(page.login);
}

/** @param {import("tiled-auth/client").Provider} provider */
function codeButton({ provider }) {
  const button = document.createElement("button");
  button.textContent = `Log in with ${provider}`;
  button.onclick = () => attempt("", () => loginWithCode(provider));
  return button;
}

/** The library keeps this prompt, and calls it again if the login has ended when the page reads the next array. */
async function loginWithCode(/** @type {string} */ provider) {
  await context.authenticate({
    prompt: async (context, _providers, { signal }) => {
      const cancel = new AbortController();
      page.cancel.onclick = () => cancel.abort();
      const before = screens.find(({ hidden }) => !hidden);
      try {
        return await deviceCodeGrant(context, {
          provider,
          onVerification: showCode,
          signal: AbortSignal.any([signal, cancel.signal]),
        });
      } finally {
        clearInterval(countdown);
        show(before);
      }
    },
  });
  await enter();
}

async function loginWithPassword(/** @type {string | undefined} */ provider) {
  const [username, password] = [page.username.value, page.secret.value];
  page.secret.value = "";
  await context.configureAuth(await passwordGrant(context, { provider, username, password }));
  await enter();
}

async function enter() {
  const principal = await context.whoami();
  page.person.textContent = principal?.identities[0]?.id ?? principal?.uuid ?? "Not logged in";
  page.logout.hidden = principal === null;
  const { data } = await read("search/?fields=structure_family&page[limit]=100");
  page.arrays.replaceChildren(...data.filter(isArray).map((/** @type {any} */ { id }) => new Option(id, id)));
  page.path.value = page.arrays.firstChild?.value ?? "";
  page.picture.hidden = true;
  show(page.data);
}

async function showArray() {
  page.picture.hidden = true;
  const path = page.path.value.split("/").filter(Boolean).map(encodeURIComponent).join("/");
  const { data } = await read(`metadata/${path}`);
  if (!isArray(data))
    throw new Error(`${page.path.value} is not an array, but a ${data.attributes.structure_family}.`);
  /** @type {number[]} */
  const shape = data.attributes.structure.shape;
  // The last two axes are the picture; of the others the first element is shown.
  const slice = shape.map((length, axis) =>
    axis < shape.length - 2 ? "0" : `::${Math.max(1, Math.ceil(length / MOST))}`,
  );
  const values = await read(`array/full/${path}?format=application/json&slice=${slice}`);
  draw(shape.length < 2 ? [[values].flat()] : values, shape);
}

/** The document at a path of the API. @returns {Promise<any>} */
async function read(/** @type {string} */ path) {
  const response = await context.fetch(path);
  if (response.ok) return await response.json();
  const { detail } = await response.json().catch(() => ({}));
  throw new Error(typeof detail === "string" ? detail : `The server answered ${response.status}.`);
}

function isArray(/** @type {any} */ { attributes }) {
  return attributes.structure_family === "array";
}

function draw(/** @type {unknown[][]} */ rows, /** @type {number[]} */ shape) {
  const numbers = rows.map((row) => row.map((value) => (value === null ? Number.NaN : Number(value))));
  const finite = numbers.flat().filter(Number.isFinite);
  if (finite.length === 0) throw new Error("The array has no numbers to draw.");
  const low = finite.reduce((a, b) => Math.min(a, b));
  const high = finite.reduce((a, b) => Math.max(a, b));
  const canvas = page.picture.querySelector("canvas");
  [canvas.width, canvas.height] = [numbers[0]?.length ?? 0, numbers.length];
  const image = new ImageData(canvas.width, canvas.height);
  for (const [index, value] of numbers.flat().entries())
    if (Number.isFinite(value)) image.data.set([...color((value - low) / (high - low || 1)), 255], 4 * index);
  canvas.getContext("2d").putImageData(image, 0, 0);
  const count = shape.length === 0 ? "One value" : `${shape.join(" × ")} values`;
  const summary = `${count}, from ${short(low)} to ${short(high)}`;
  canvas.setAttribute("aria-label", summary);
  page.picture.querySelector("figcaption").textContent = summary;
  const body = page.picture.querySelector("tbody");
  body.replaceChildren();
  for (const row of numbers.slice(0, 4)) {
    const line = body.insertRow();
    for (const value of row.slice(0, 4)) line.insertCell().textContent = short(value);
  }
  page.picture.hidden = false;
}

/** Red, green and blue for a number between 0 and 1. */
function color(/** @type {number} */ fraction) {
  const place = fraction * (PALETTE.length - 1);
  const [from = [], to = from] = PALETTE.slice(Math.floor(place));
  return from.map((part, index) => part + (place % 1) * ((to[index] ?? 0) - part));
}

function short(/** @type {number} */ value) {
  return String(Number(value.toPrecision(3)));
}

/** @param {import("tiled-auth/client").Verification} verification */
function showCode({ verificationUri, userCode, expiresIn }) {
  page["user-code"].textContent = userCode;
  page.verification.href = verificationUri;
  const end = performance.now() + expiresIn * 1000;
  const tick = () => {
    const left = Math.max(0, Math.round((end - performance.now()) / 1000));
    page.left.textContent = `Expires in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}.`;
  };
  tick();
  countdown = setInterval(tick, 1000);
  show(page.code);
}

function show(/** @type {any} */ screen) {
  for (const one of screens) one.hidden = one !== screen;
  (screen.querySelector("h2") ?? screen.querySelector("input")).focus();
}

/** Does the work while the buttons are off, and shows why it failed. */
async function attempt(/** @type {string} */ status, /** @type {() => Promise<unknown>} */ work) {
  const buttons = [...document.querySelectorAll("button")].filter(
    ({ id }) => id !== "cancel" && id !== "copy",
  );
  for (const button of buttons) button.disabled = true;
  page.status.textContent = status;
  page.problem.textContent = "";
  try {
    await work();
  } catch (error) {
    if (error instanceof CannotRefreshAuthentication) show(page.login);
    page.problem.textContent = explanation(error);
  }
  page.status.textContent = "";
  for (const button of buttons) button.disabled = false;
}

function explanation(/** @type {any} */ error) {
  // Cancelled.
  if (error.name === "AbortError") return "";
  const unreachable =
    error instanceof TiledError && error.code === "ERR_UNAVAILABLE" && error.status === null;
  if (!unreachable) return error.message;
  return `${error.message} If the server runs, it may refuse this page: allow_origins must contain ${location.origin}.`;
}

/** @returns {(event: Event) => void} */
function onSubmit(/** @type {string} */ status, /** @type {() => Promise<unknown>} */ work) {
  return (event) => {
    event.preventDefault();
    void attempt(status, work);
  };
}

page.server.value = localStorage.getItem("server") ?? page.server.value;
page.connect.onsubmit = onSubmit("Connecting…", connect);
page.read.onsubmit = onSubmit("Reading…", showArray);
page.back.onclick = () => show(page.connect);
page.logout.onclick = () =>
  attempt("Logging out…", async () => {
    show(page.login);
    await context.logout();
  });
page.copy.hidden = navigator.clipboard === undefined;
page.copy.onclick = () => navigator.clipboard.writeText(page["user-code"].textContent);
