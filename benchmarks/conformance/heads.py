"""What stands in the peers' tests in the place of their imports, and of their conftest.py."""

SCIKIT_IMAGE = '''
import functools, threading
import numpy as np
import pytest
from lesionkit.texture import graycomatrix, graycoprops


def run_in_parallel(*_, **__):
    """Their decorator: the test once in each of a few threads at the same time."""
    def decorate(test):
        @functools.wraps(test)
        def several(*args, **named):
            problems = []
            def one():
                try:
                    test(*args, **named)
                except BaseException as problem:
                    problems.append(problem)
            threads = [threading.Thread(target=one) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if problems:
                raise problems[0]
        return several
    return decorate


'''

SCIKIT_LEARN = """from lesionkit.clustering import KMeans
from sklearn.cluster import MiniBatchKMeans, """

SCIKIT_LEARN_FIXTURES = """
import numpy
import pytest


@pytest.fixture(params=[42])  # their default
def global_random_seed(request):
    return request.param


@pytest.fixture(params=[numpy.float32, numpy.float64])
def global_dtype(request):
    return request.param

"""

SCIKIT_FUZZY = """from types import SimpleNamespace
from lesionkit.clustering import cmeans, cmeans_predict
fuzz = SimpleNamespace(cluster=SimpleNamespace(cmeans=cmeans, cmeans_predict=cmeans_predict))
"""
