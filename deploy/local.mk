# deploy/: the image and the compose testnet; make check-docker runs them.
EXTRA_DIST += deploy/Dockerfile deploy/test-docker.sh .dockerignore

.PHONY: check-docker
check-docker: all
	srcdir=$(srcdir) sh $(srcdir)/deploy/test-docker.sh
