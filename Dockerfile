# The control plane, as `npm run image` builds it: build/image/ holds what is shipped, so that nothing is compiled or downloaded here.
FROM docker.io/library/node:24-bookworm-slim AS runtime
# Node, and the libraries it is linked with: no shell and no package manager come along.
RUN mkdir /only && cp --parents --dereference /usr/local/bin/node $(ldd /usr/local/bin/node | grep -o '/[^ ]*') /only

FROM scratch
LABEL org.opencontainers.image.title="xebec" \
      org.opencontainers.image.description="The classic Istio control plane for stock Envoy" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=runtime /only/ /
COPY build/image/ /opt/xebec/
ENV NODE_ENV=production PATH=/usr/local/bin
# A number, so that the kubelet can see that it is not root. The file system is never written.
USER 10001:10001
WORKDIR /opt/xebec
# As bin/xebec does it.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=4", "/opt/xebec/dist/main.js"]
CMD ["serve", "--kubernetes"]
