from lesionkit.studies.nirst import contrast as contrast
from lesionkit.studies.nirst import evaluation as evaluation
from lesionkit.studies.nirst import figures as figures
from lesionkit.studies.nirst import methods as methods
from lesionkit.studies.nirst.study import DEVICES as DEVICES
from lesionkit.studies.nirst.study import SIZES as SIZES
from lesionkit.studies.nirst.study import Size as Size
from lesionkit.studies.nirst.study import run as run
