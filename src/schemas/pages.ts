/**
 * The forms of our pages. Fields are optional, so that an incomplete form is shown again with a hint instead of an error.
 */
import { Type } from "typebox";

const Text = Type.Optional(Type.String({ maxLength: 4096 }));

export const LoginQuery = Type.Object({ next: Text, provider: Text, again: Text });
export const LoginBody = Type.Object({
  token: Text,
  provider: Text,
  next: Text,
  username: Text,
  password: Text,
});
export const LinkParams = Type.Object({ link: Type.String({ maxLength: 128 }) });
export const NewPasswordBody = Type.Object({
  token: Text,
  new_password: Text,
  new_password_again: Text,
  revoke_keys: Text,
});
export const UseKeyBody = Type.Object({ token: Text, key: Text, next: Text });
export const TokenBody = Type.Object({ token: Text });
export const AccountQuery = Type.Object({ done: Text });
/** Besides the fields of the interrupted form. */
export const GoOnQuery = Type.Object(
  { proof: Text, action: Text },
  { additionalProperties: Type.String({ maxLength: 4096 }) },
);
export const EndSessionBody = Type.Object({ token: Text, session: Text });
export const RevokeKeyBody = Type.Object({ token: Text, first_eight: Text });
export const MakeKeyBody = Type.Object(
  { token: Text, note: Text, lifetime: Text },
  // `scope read:data`, …: one field for each ticked box.
  { additionalProperties: Type.String({ maxLength: 16 }) },
);
export const IdentityBody = Type.Object({ token: Text, provider: Text, id: Text });
export const CaveTokensQuery = Type.Object({ done: Text });
/** Of three forms: one creates a token, one revokes one, one ends the login. */
export const CaveTokensBody = Type.Object({
  token: Text,
  description: Text,
  known: Type.Optional(Type.String()),
  token_id: Text,
  logout: Text,
});
/** `redirect`: a list if it comes more than once, which is refused with a page. */
export const CaveTermsQuery = Type.Object({
  redirect: Type.Optional(Type.Unknown()),
  client: Text,
});
export const CaveTermsBody = Type.Object({ token: Text, tos_agree: Text });
