"""The local AWS: an embedded AWS on this machine, for `make deploy-local` and the tests.

ministack (https://github.com/ministackorg/ministack) is the engine; Amazon Personalize is a
simulation of ours. Nothing else in this repository imports this package.
"""
