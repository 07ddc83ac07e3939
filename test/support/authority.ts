/** A certificate authority of a test, and certificates of it, made by openssl in a folder of the test. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Authority {
  /** Path of its own certificate. */
  readonly ca: string;
  /** `name`: a host name, which the certificate is for; also for 127.0.0.1 where it is localhost. */
  issue(name: string): { readonly cert: string; readonly key: string };
}

export function makeAuthority(folder: string): Authority {
  const openssl = (...args: string[]): void =>
    void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=Test CA",
    "-days",
    "30",
  );
  return {
    ca: join(folder, "ca.pem"),
    issue: (name) => {
      const names = name === "localhost" ? "DNS:localhost,IP:127.0.0.1,IP:::1" : `DNS:${name}`;
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
      openssl("req", "-new", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30"];
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        ...signed,
        "-out",
        `${name}.pem`,
        "-extfile",
        `${name}.ext`,
      );
      return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    },
  };
}
