# deploy/: the image, the systemd unit and the compose testnet; make
# check-docker runs image and testnet.
EXTRA_DIST += deploy/Dockerfile deploy/potd.service \
	deploy/pot-signer.service deploy/test-docker.sh .dockerignore

.PHONY: check-docker
check-docker: all
	srcdir=$(srcdir) sh $(srcdir)/deploy/test-docker.sh
