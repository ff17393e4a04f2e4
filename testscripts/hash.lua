local data = "The quick brown fox jumps over the lazy dog"
expect.equal(hash.sha256(data), "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592")
expect.equal(hash.sha1(data), "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12")
expect.equal(hash.md5(data), "9e107d9d372bb6826bd81d3542a419d6")
expect.equal(hash.crc32(data), 0x414fa339)
expect.equal(hash.crc32("\255\0\255"), 0x6cdb0272)
expect.equal(hash.hmac("md5", "key", data), "80070713463e7749b90c2dc24911e275")
expect.equal(hash.hmac("sha1", "key", data), "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9")
expect.equal(hash.hmac("sha256", "key", data),
  "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
expect.match(expect.raises("invalid_argument", hash.hmac, "sha265", "k", "d").message, "sha256")
expect.raises("invalid_argument", hash.hmac, "sha256", "k")
expect.raises("invalid_argument", hash.sha256)
expect.raises("invalid_argument", hash.crc32, {})
