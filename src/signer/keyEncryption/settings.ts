/** How a signer's key-encryption key is kept, as its operator says it: addresses and names from the environment of the signer's process. @module */

export const providers = ['file', 'passphrase', 'pkcs11', 'aws-kms', 'vault'] as const;
export type ProviderName = (typeof providers)[number];
/** Those that wrap the key; `file` keeps it as it is. */
export type WrappingProvider = Exclude<ProviderName, 'file'>;

/** A secret in a file (or a pipe: /dev/fd/3, /dev/stdin), or as the environment has it. */
export type SecretSource = { readonly file: string } | { readonly value: string };

/** Settings of several providers may stand side by side: which of them is asked is said by the key file. */
export interface KeyEncryptionSettings {
  /** For a signer that is made. */
  readonly provider: ProviderName;
  readonly passphrase: SecretSource | undefined;
  /** That a rewrap changes to. */
  readonly newPassphrase: SecretSource | undefined;
  readonly pkcs11: {
    /** The module's shared library. */
    readonly module: string | undefined;
    /** Labels, of the token and of the AES key on it. */
    readonly token: string | undefined;
    readonly key: string | undefined;
    readonly pin: SecretSource | undefined;
  };
  /** Credentials and region are found by the AWS client itself. */
  readonly awsKms: { readonly key: string | undefined; readonly endpoint: string | undefined };
  readonly vault: {
    readonly address: string | undefined;
    readonly namespace: string | undefined;
    readonly token: SecretSource | undefined;
    readonly mount: string;
    readonly key: string | undefined;
  };
}
