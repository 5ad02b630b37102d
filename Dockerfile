# Nightlatch as an image: one static program, the authorities that it trusts, time zones.
# There is no shell, no package manager and no secret in it; secrets and configuration are
# mounted. Every instruction is in exec form, so that none needs a shell.
#
#     docker build --tag nightlatch .
#
# deploy/kubernetes.yaml runs it; docs/deploy.md explains both.

FROM golang:1.26-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
COPY bot/ bot/
COPY cmd/ cmd/
COPY grants/ grants/
COPY integrations/ integrations/
# The caches are mounted, and are in no layer. The context has no version control data:
# it can hold credentials.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build ["go", "build", "-trimpath", "-buildvcs=false", "-o", "out/nightlatch", "./cmd/nightlatch"]
# The one directory that the program writes to, for whoever runs it without a volume.
RUN ["install", "-d", "-m", "0700", "state/nightlatch"]

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/share/zoneinfo/ /usr/share/zoneinfo/
COPY --from=build --chown=65532:65532 /src/state/ /var/lib/
COPY --from=build /src/out/nightlatch /usr/local/bin/nightlatch
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /var/lib/nightlatch
VOLUME ["/var/lib/nightlatch"]
# The program needs 5 s at most, and is told by SIGTERM, the default.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/nightlatch"]
CMD ["serve", "--config", "/etc/nightlatch/nightlatch.yaml"]
