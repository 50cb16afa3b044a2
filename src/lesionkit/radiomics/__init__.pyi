from lesionkit.radiomics.extractor import RadiomicsFeatureExtractor as RadiomicsFeatureExtractor
from lesionkit.radiomics.parameters import Parameters as Parameters
from lesionkit.radiomics.parameters import read_parameters as read_parameters
from lesionkit.radiomics.volumes import Volume as Volume
