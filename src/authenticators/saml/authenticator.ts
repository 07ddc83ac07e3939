/**
 * Browser logins at a SAML 2.0 identity provider (`tiled.authenticators:SAMLAuthenticator`; SAML Profiles, section 4.1).
 * The arguments are Tiled's. node-saml checks the signature (`library.ts`); what it may check, and what else must hold, is ours.
 */
import type {
  AuthenticatedIdentity,
  AuthenticatorContext,
  AuthorizationRequest,
  AuthorizationResponse,
  ExternalAuthenticator,
  PostedAnswer,
  PostedIdentity,
  PostedLogin,
} from "../../domain/ports/authenticator.ts";
import { Failure } from "../../errors.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { decodeAnswer } from "./answer.ts";
import { checkAssertion } from "./assertion.ts";
import { personIn } from "./person.ts";
import { quotedForLog, refuse } from "./refusals.ts";
import { readSettings, type SamlSettings } from "./settings.ts";
import { SAML_ARGS, type SamlArgs } from "./settings-schema.ts";
import { shapeOf } from "./shape.ts";
import { checkSignatures } from "./signatures.ts";
import { statusProblem } from "./status.ts";
import { attributeOf, parseXml } from "./xml.ts";

export class SAMLAuthenticator implements ExternalAuthenticator, PostedLogin {
  static readonly args = SAML_ARGS;
  readonly kind = "external";
  /** Attributes are names, often known in one spelling only. */
  readonly caseSensitive = false;
  readonly confirmationMessage: string;
  readonly redirectOnSuccess = null;
  readonly redirectOnFailure = null;
  readonly tokensInRedirect = false;
  readonly posted: PostedLogin = this;
  readonly #settings: SamlSettings;
  readonly #attribute: string;
  readonly #keep: readonly string[];
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  #warned = false;

  constructor(
    args: SamlArgs,
    context: AuthenticatorContext,
    { clock = systemClock }: { clock?: Clock } = {},
  ) {
    this.#settings = readSettings(args.saml_settings, context, clock.now());
    this.#attribute = args.attribute_name;
    this.#keep = context.keepClaims ?? [];
    this.#clock = clock;
    this.#warn = context.warn;
    this.confirmationMessage = args.confirmation_message ?? "";
  }

  async begin({ state, nonce, redirectUri }: AuthorizationRequest): Promise<URL> {
    this.#compareAddress(redirectUri);
    const { authnRequestUrl } = await import("./library.ts");
    return await authnRequestUrl(this.#settings, requestIdOf(nonce), state);
  }

  /** A browser that comes back without a checked answer: the provider refused the login. */
  async finish({ callback }: AuthorizationResponse): Promise<AuthenticatedIdentity> {
    const { searchParams } = callback;
    const told = searchParams.get("error_description") ?? searchParams.get("error");
    throw new Failure("login_refused", {
      log: `The browser came back without an answer: ${quotedForLog(told)}.`,
    });
  }

  async receive({ answer, nonce }: PostedAnswer): Promise<PostedIdentity> {
    const requestId = requestIdOf(nonce);
    const { xml, responseIsSigned } = await this.#checkedForm(decodeAnswer(answer), requestId);
    const { signedAssertion } = await import("./library.ts");
    const signed = await signedAssertion(this.#settings, xml, { requestId, responseIsSigned });
    const { root, id, expires } = checkAssertion(signed, this.#settings, requestId, this.#clock);
    const identity = personIn(root, this.#attribute, this.#keep);
    return { identity, answer: `${this.#settings.idp.entityId} ${id}`, expires: new Date(expires) };
  }

  /** The XML to check the signature of, with the assertion in the clear. */
  async #checkedForm(xml: string, requestId: string) {
    const { security, sp } = this.#settings;
    const { response, assertion, encrypted } = shapeOf(parseXml(xml));
    const destination = attributeOf(response, "Destination");
    if (destination !== null && destination !== sp.acsUrl) {
      throw refuse(
        `its destination is ${quotedForLog(destination)}, expected ${quotedForLog(sp.acsUrl)} (saml_settings.sp.assertionConsumerService.url)`,
      );
    }
    const problem = statusProblem(response);
    if (problem !== null) throw problem;
    if (assertion === null) throw refuse("it has no assertion");
    if (attributeOf(response, "InResponseTo") !== requestId) {
      throw refuse("it answers another request, or none of ours (InResponseTo of its Response)");
    }
    if (!encrypted) {
      if (security.wantAssertionsEncrypted) {
        throw refuse("its assertion is not encrypted (saml_settings.security.wantAssertionsEncrypted)");
      }
      const { responseIsSigned } = checkSignatures(response, assertion);
      if (security.wantMessagesSigned && !responseIsSigned) {
        throw refuse("its Response is not signed (saml_settings.security.wantMessagesSigned)");
      }
      return { xml, responseIsSigned };
    }
    return { xml: await this.#decrypted(assertion, requestId), responseIsSigned: false };
  }

  async #decrypted(encrypted: Element, requestId: string): Promise<string> {
    const { privateKey } = this.#settings.sp;
    if (privateKey === null)
      throw refuse("its assertion is encrypted, and saml_settings.sp.privateKey is missing");
    const { decryptAssertion } = await import("./decrypt.ts");
    const xml = await decryptAssertion(encrypted, privateKey.reveal(), requestId);
    const inside = shapeOf(parseXml(xml));
    if (inside.assertion === null || inside.encrypted)
      throw refuse("what is encrypted in it is no assertion");
    checkSignatures(inside.response, inside.assertion);
    return xml;
  }

  async metadata(): Promise<string> {
    const { metadataXml } = await import("./library.ts");
    return await metadataXml(this.#settings);
  }

  problem(): string | null {
    return null;
  }

  /** The provider posts to the configured address only; at another one the browser's cookie would be missing. */
  #compareAddress(redirectUri: string): void {
    const { acsUrl } = this.#settings.sp;
    if (this.#warned || !redirectUri.endsWith("/code") || redirectUri === acsUrl) return;
    this.#warned = true;
    this.#warn(
      `a browser logs in at ${redirectUri}, but args.saml_settings.sp.assertionConsumerService.url is ${acsUrl}. Logins fail where the two are not the same server; look at server.public_url.`,
    );
  }
}

/** An XML name (SAML Core, section 1.3.4), and as hard to guess as the nonce. */
function requestIdOf(nonce: string): string {
  return `_${nonce}`;
}
