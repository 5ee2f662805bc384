#include "CBlockDevices.h"
