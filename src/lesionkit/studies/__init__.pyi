from lesionkit.studies import brain as brain
from lesionkit.studies import nirst as nirst
from lesionkit.studies import stroke as stroke
from lesionkit.studies import thermogram as thermogram
