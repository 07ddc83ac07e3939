/** Terms of service of CAVE: the text with the form that accepts it, and the thanks. The text is the operator's, plain. */
import { type Html, html } from "../../lib/html.ts";
import { page, type Site } from "../layout.ts";
import { HAND_OVER_ASSET, scriptJson } from "./hand-over.ts";

interface TermsAt {
  readonly site: Site;
  readonly basePath: string;
  /** Of the terms. */
  readonly name: string;
}

export interface TermsPage extends TermsAt {
  readonly text: string;
  /** Where the form posts to. */
  readonly action: string;
  /** Against forgery; a hidden field of the form. */
  readonly csrf: Html;
  /** Name of the person who is logged in. */
  readonly person: string;
  readonly accepted: boolean;
  /** The form was sent without a tick. */
  readonly unticked: boolean;
  /** The host that the acceptance leads to. */
  readonly destination: string | null;
}

export function termsPage(at: TermsPage): Html {
  const { name, text, person, destination } = at;
  return page({
    ...at,
    title: `Terms of service: ${name}`,
    main: html`<h1>Terms of service: ${name}</h1>
<p class="lede">You are logged in as <strong>${person}</strong>.${destination !== null && html` You will then continue to <strong>${destination}</strong>, which can work as you for a limited time.`}</p>
<section class="terms" aria-label="The terms">
${paragraphs(text)}</section>
<section aria-label="Your answer">
${answer(at)}
</section>`,
  });
}

function answer({ action, csrf, accepted, unticked }: TermsPage): Html {
  if (accepted) {
    return html`<p>You have accepted these terms already.</p>
<form method="post" action="${action}">${csrf}<input type="hidden" name="tos_agree" value="true">
<p class="buttons"><button type="submit">Continue</button></p>
</form>`;
  }
  return html`<form method="post" action="${action}">${csrf}
${unticked && html`<p class="problem" id="agree-problem" role="alert">Tick the box to accept the terms. Without that you cannot use the data that they cover.</p>\n`}<label class="check"><input type="checkbox" name="tos_agree" value="true" required${unticked && html` aria-invalid="true" aria-describedby="agree-problem"`}> I have read these terms and accept them.</label>
<p class="buttons"><button type="submit">Accept</button></p>
</form>`;
}

/** Paragraphs end at an empty line; line breaks inside them stay, which the stylesheet shows. */
function paragraphs(text: string): readonly Html[] {
  return text
    .replaceAll("\r\n", "\n")
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.replace(/^\n+|\s+$/g, ""))
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => html`<p>${paragraph}</p>\n`);
}

/** `toldOrigins`: of viewers that may have opened this page as a popup, and are told; null for other pages. */
export function termsAcceptedPage(at: TermsAt & { readonly toldOrigins: readonly string[] | null }): Html {
  const { basePath, name, toldOrigins } = at;
  return page({
    ...at,
    title: "Thank you",
    width: "narrow",
    main: html`<h1>Thank you</h1>
<p class="lede">You have accepted the terms of service of <strong>${name}</strong>.</p>
<p>Return to your program and repeat what you were doing. You can close this page.</p>${
      toldOrigins !== null &&
      html`
<script type="application/json" id="handover">${scriptJson({ message: "success", origins: toldOrigins })}</script>
<script src="${basePath}${HAND_OVER_ASSET.path}"></script>`
    }`,
  });
}
