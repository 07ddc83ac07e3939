/** The script of the page with a new token: shows the button that copies it. Without the script the page is complete. */
import { asset } from "../assets.ts";

const SCRIPT = `"use strict";
const token = document.getElementById("token");
const button = document.getElementById("copy");
const copied = document.getElementById("copied");
button.hidden = false;
button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(token.textContent);
    copied.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(token);
    copied.textContent = "The token is selected. Copy it with your browser or keyboard.";
  }
});
`;

export const COPY_ASSET = asset("copy", "js", "text/javascript; charset=utf-8", SCRIPT);
