/**
 * What every page shares: document, header, footer. A page is data -> HTML; headers and routes are `http/send-page.ts`.
 */
import { type Html, html } from "../lib/html.ts";
import { ICON_ASSET, STYLE_ASSET } from "./assets.ts";

/** Title, logo and contact of the deployment, the same on every page. */
export interface Site {
  /** e.g. "Tiled". */
  readonly title: string;
  /** The path of the logo below the server's root; null: our icon. */
  readonly logo: string | null;
  /** An e-mail address, a URL or a sentence; null: none. */
  readonly contact: string | null;
  readonly version: string;
  /** How the pages show providers, by name; others are shown by their names. */
  readonly providers?: ReadonlyMap<string, ShownProvider>;
}

interface ShownProvider {
  readonly label: string | null;
  /** Of the image, below the server's root. */
  readonly icon: string | null;
}

/** What people read in place of a provider's name. */
export function labelOf({ providers }: Site, name: string): string {
  return providers?.get(name)?.label ?? name;
}

export interface PageContent {
  readonly site: Site;
  /** "" or "/prefix", where the server's root is for this browser. */
  readonly basePath: string;
  /** Of the document, before the site's title; null: the site's title alone. */
  readonly title: string | null;
  readonly main: Html;
  /** `narrow`: for a short form. */
  readonly width?: "narrow";
  /** Beside the site's name. */
  readonly nav?: { readonly text: string; readonly href: string };
  /** URL to which the browser is sent automatically. */
  readonly refresh?: string;
}

export function page({ site, basePath, title, main, width, nav, refresh }: PageContent): Html {
  const documentTitle = title === null ? site.title : `${title} · ${site.title}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${
  refresh !== undefined &&
  html`<meta http-equiv="refresh" content="0; url=${refresh}">
`
}<title>${documentTitle}</title>
<link rel="icon" type="image/svg+xml" href="${basePath}${ICON_ASSET.path}">
<link rel="stylesheet" href="${basePath}${STYLE_ASSET.path}">
</head>
<body${width !== undefined && html` class="${width}"`}>
<a class="skip" href="#main">Skip to the content</a>
<header><a class="brand" href="${basePath}/"><img src="${basePath}${site.logo ?? ICON_ASSET.path}" alt=""> ${site.title}</a>${nav !== undefined && html`<nav aria-label="Account"><a href="${nav.href}">${nav.text}</a></nav>`}</header>
<main id="main">
${main}
</main>
<footer>${contactLine(site.contact)}<p>tiled-auth ${site.version}</p></footer>
</body>
</html>
`;
}

/** Only e-mail addresses and http(s) URLs become links: the scheme of an operator's `contact` is not trusted. */
function contactLine(contact: string | null): Html | null {
  if (contact === null) return null;
  const address = contact.replace(/^mailto:/, "");
  if (/^[^\s@:/]+@[^\s@:/]+$/.test(address)) {
    return html`<p>Contact: <a href="mailto:${address}">${address}</a></p>`;
  }
  if (/^https?:\/\/\S+$/.test(contact)) return html`<p>Contact: <a href="${contact}">${contact}</a></p>`;
  return html`<p>Contact: ${contact}</p>`;
}
