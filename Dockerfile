FROM golang:1.27 AS build
ENV GOTOOLCHAIN=auto CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Time zones are compiled in and /tmp takes large uploads: the image has nothing
# but this binary.
RUN go build -trimpath -tags timetzdata -ldflags "-s -w" -o /root-fs/ezscale . \
	&& mkdir -p /root-fs/data /root-fs/tmp /root-fs/etc/ssl/certs \
	&& cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
	&& chmod 1777 /root-fs/tmp

FROM scratch
COPY --from=build --chown=65532:65532 /root-fs/ /
USER 65532:65532
VOLUME /data
EXPOSE 8090
ENTRYPOINT ["/ezscale"]
CMD ["serve", "--http=0.0.0.0:8090", "--dir=/data"]
