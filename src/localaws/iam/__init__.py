"""Authorisation of every request on the laptop's AWS.

service      WSGI layer in front of moto: caller ▸ needs ▸ decision by the deployed policies ▸ moto or another service
requests/    HTTP request ▸ (action, resource ARN, context), one file per service
policy       the evaluator, pure; its parts are statements, principals, conditions, operators and globs
permissions  decisions about requests of roles and of AWS services, by the deployed policies
usage        counts requests by the grant that allowed them, and refusals; report holds them as values and as JSON
"""

from localaws.iam.call import REPORT_PATH
from localaws.iam.faults import Decide, RoleCall, When
from localaws.iam.lookups import Lookups
from localaws.iam.report import Denied, GrantUse, UnmappedUse, UsageReport
from localaws.iam.service import Authorizer, JsonService
from localaws.iam.sessions import Caller
from localaws.iam.usage import Allowed

__all__ = [
    "REPORT_PATH",
    "Allowed",
    "Authorizer",
    "Caller",
    "Decide",
    "Denied",
    "GrantUse",
    "JsonService",
    "Lookups",
    "RoleCall",
    "UnmappedUse",
    "UsageReport",
    "When",
]
