# The control plane, as `npm run image` builds it: build/image/ holds what is shipped, so that nothing is compiled or downloaded here.
FROM docker.io/library/node:24-bookworm-slim
LABEL org.opencontainers.image.title="xebec" \
      org.opencontainers.image.description="The classic Istio control plane for stock Envoy" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY build/image/ /opt/xebec/
ENV NODE_ENV=production
# A number, so that the kubelet can see that it is not root. The file system is never written.
USER 10001:10001
WORKDIR /opt/xebec
ENTRYPOINT ["/opt/xebec/bin/xebec"]
CMD ["serve", "--kubernetes"]
